"""Stacks: creation, update, deletion and rollback, with the events that CloudFormation would give."""

import json
import logging
import threading
import warnings
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Callable

import settings
from intrinsics import Scope, TemplateError, creation_order
from provisioners import provisioner_for
from provisioning import Failure, NeedsReplacement, Outcome, Request
from settings import now

_log = logging.getLogger("stand-in.cloudformation")


@dataclass
class Resource:
    logical_id: str
    type: str
    definition: dict[str, Any]
    properties: dict[str, Any]
    outcome: Outcome
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    updated_at: datetime = field(default_factory=now)


class Stack:
    def __init__(self, name: str, region: str) -> None:
        self.name = name
        self.region = region
        self.id = f"arn:aws:cloudformation:{region}:{settings.ACCOUNT}:stack/{name}/{'-'.join(settings.random_id(size) for size in (8, 4, 4, 4, 12))}"
        self.status = "REVIEW_IN_PROGRESS"
        self.reason: str | None = None
        self.body = ""
        self.template: dict[str, Any] = {}
        self.given: dict[str, str] = {}
        self.parameters: dict[str, Any] = {}
        self.tags: list[dict[str, str]] = []
        self.capabilities: list[str] = []
        self.role_arn: str | None = None
        self.protected = False
        self.resources: dict[str, Resource] = {}
        self.outputs: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.created_at = now()
        self.updated_at: datetime | None = None
        self.deleted_at: datetime | None = None
        self._undo: list[Callable[[], None]] = []

    # --- the three operations

    def begin(self, operation: str) -> None:
        self._move(f"{operation}_IN_PROGRESS", "User Initiated")

    def create(self, template: "Template", roll_back: bool, imported: Callable[[str], Any]) -> None:
        try:
            self._apply(template, imported)
            self._move("CREATE_COMPLETE")
        except (Failure, TemplateError) as failure:
            if not roll_back:
                self._move("CREATE_FAILED", str(failure))
                return
            self._move("ROLLBACK_IN_PROGRESS", _summary(self.resources, failure))
            self._move("ROLLBACK_COMPLETE" if self._remove(list(self.resources.values())[::-1]) else "ROLLBACK_FAILED")

    def update(self, template: "Template", roll_back: bool, imported: Callable[[str], Any]) -> None:
        before = (self.body, self.template, self.given, self.parameters, dict(self.resources), self.outputs)
        self.updated_at = now()
        self._undo = []
        try:
            obsolete = self._apply(template, imported)
        except (Failure, TemplateError) as failure:
            if not roll_back:
                self._move("UPDATE_FAILED", str(failure))
                return
            self._move("UPDATE_ROLLBACK_IN_PROGRESS", _summary(self.resources, failure))
            undone = self._take_back()
            self.body, self.template, self.given, self.parameters, self.resources, self.outputs = before
            self._move("UPDATE_ROLLBACK_COMPLETE" if undone else "UPDATE_ROLLBACK_FAILED")
            return
        self._move("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._remove(obsolete[::-1], forget=False)
        self._move("UPDATE_COMPLETE")

    def delete(self, retained: list[str]) -> None:
        order = [self.resources[name] for name in reversed(list(self.resources)) if name not in retained]
        if self._remove(order):
            self.deleted_at = now()
            self._move("DELETE_COMPLETE")
        else:
            failed = [item.logical_id for item in self.resources.values() if item.status == "DELETE_FAILED"]
            self._move("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}].")

    # --- their steps

    def _apply(self, template: "Template", imported: Callable[[str], Any]) -> list[Resource]:
        """Brings the resources to what the template says; returns those that are to be deleted afterwards."""
        old, self.body, self.template, self.given = self.resources, template.body, template.content, template.given
        self.parameters = template.parameters
        scope = self._scope(imported)
        wanted = {name: item for name, item in template.content["Resources"].items() if "Condition" not in item or scope.condition(item["Condition"])}
        obsolete = [item for name, item in old.items() if name not in wanted]
        self.resources = {}
        rest = dict(old)
        try:
            for name in creation_order(wanted):
                previous = rest.pop(name, None)
                self._bring(name, wanted[name], scope, previous, obsolete)
        except BaseException:
            self.resources.update(rest)
            raise
        self.outputs = self._outputs(scope)
        return obsolete

    def _bring(self, name: str, definition: dict[str, Any], scope: Scope, previous: Resource | None, obsolete: list[Resource]) -> None:
        properties = scope.resolve(definition.get("Properties") or {})
        if previous is None or previous.type != definition["Type"]:
            if previous is not None:
                obsolete.append(previous)
            self._create(name, definition, properties)
        elif previous.properties == properties and previous.status != "CREATE_FAILED":
            self.resources[name] = replace(previous, definition=definition)
        else:
            self._update(name, definition, properties, previous, obsolete)

    def _create(self, name: str, definition: dict[str, Any], properties: dict[str, Any]) -> None:
        request = self._request(name, definition["Type"], properties)
        resource = Resource(name, definition["Type"], definition, properties, Outcome("", lambda _: None), "CREATE_IN_PROGRESS")
        self.resources[name] = resource
        self._undo.append(lambda: self._delete(resource))
        self._event(resource, "CREATE_IN_PROGRESS")
        resource.outcome = self._attempt(resource, "CREATE_FAILED", lambda: provisioner_for(request.type).create(request))
        self._event(resource, "CREATE_COMPLETE")

    def _update(self, name: str, definition: dict[str, Any], properties: dict[str, Any], previous: Resource, obsolete: list[Resource]) -> None:
        resource = Resource(name, definition["Type"], definition, properties, previous.outcome, "UPDATE_IN_PROGRESS")
        self.resources[name] = resource
        self._event(resource, "UPDATE_IN_PROGRESS")
        request = self._request(name, resource.type, properties, previous)
        provisioner = provisioner_for(resource.type)

        def change() -> Outcome:
            try:
                return provisioner.update(request)
            except NeedsReplacement:
                self._event(resource, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.")
                return provisioner.create(self._request(name, resource.type, properties))

        self._undo.append(lambda: self._restore(resource, previous))
        resource.outcome = self._attempt(resource, "UPDATE_FAILED", change)
        if resource.outcome.physical_id != previous.outcome.physical_id:
            obsolete.append(previous)
        self._event(resource, "UPDATE_COMPLETE")

    def _restore(self, resource: Resource, previous: Resource) -> None:
        if resource.outcome.physical_id != previous.outcome.physical_id:
            self._delete(resource)
            return
        self._event(resource, "UPDATE_IN_PROGRESS")
        changed = replace(resource, properties=previous.properties)
        request = self._request(resource.logical_id, resource.type, previous.properties, resource)
        try:
            previous.outcome = self._attempt(changed, "UPDATE_FAILED", lambda: provisioner_for(resource.type).update(request))
        except NeedsReplacement:
            # The change itself failed before anything was made, so what was there still is.
            pass
        self._event(changed, "UPDATE_COMPLETE")

    def _take_back(self) -> bool:
        complete = True
        for step in reversed(self._undo):
            try:
                step()
            except Failure:
                complete = False
        return complete

    def _remove(self, resources: list[Resource], forget: bool = True) -> bool:
        complete = True
        for resource in resources:
            try:
                self._delete(resource)
                if forget:
                    self.resources.pop(resource.logical_id, None)
            except Failure:
                complete = False
        return complete

    def _delete(self, resource: Resource) -> None:
        policy = resource.definition.get("DeletionPolicy")
        if policy == "Retain" or (policy == "RetainExceptOnCreate" and self.status != "ROLLBACK_IN_PROGRESS"):
            self._event(resource, "DELETE_SKIPPED")
            return
        self._event(resource, "DELETE_IN_PROGRESS")
        if resource.outcome.physical_id:
            request = self._request(resource.logical_id, resource.type, resource.properties, resource)
            self._attempt(resource, "DELETE_FAILED", lambda: provisioner_for(resource.type).delete(request))
        self._event(resource, "DELETE_COMPLETE")

    def _attempt(self, resource: Resource, failed: str, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except NeedsReplacement:
            raise
        except Exception as error:
            if isinstance(error, Failure) and error.physical_id and not resource.outcome.physical_id:
                resource.outcome = Outcome(error.physical_id, lambda _: None)
            reason = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
            if not isinstance(error, Failure):
                _log.exception("%s %s", resource.type, resource.logical_id)
            self._event(resource, failed, reason)
            raise Failure(f"{resource.logical_id}: {reason}") from error

    def _request(self, name: str, kind: str, properties: dict[str, Any], previous: Resource | None = None) -> Request:
        request = Request(kind, name, self.region, self.name, self.id, properties)
        if previous is not None:
            request.old_properties, request.physical_id, request.model = previous.properties, previous.outcome.physical_id, previous.outcome.model
        return request

    # --- what the template refers to

    def _scope(self, imported: Callable[[str], Any]) -> Scope:
        def found(name: str) -> Resource:
            if name not in self.resources:
                raise TemplateError(f"Unresolved resource dependencies [{name}] in the Resources block of the template")
            return self.resources[name]

        def attribute(name: str, wanted: str) -> Any:
            value = found(name).outcome.attribute(wanted)
            if value is None:
                raise TemplateError(f"CustomResource attribute error: Vendor response doesn't contain {wanted} attribute in object {name}" if is_custom(found(name).type) else f"Template error: {found(name).type} {name} has no attribute {wanted} in the stand-in")
            return value

        return Scope(self.region, self.name, self.id, self.template, self.parameters, lambda name: found(name).outcome.physical_id, attribute, imported)

    def _outputs(self, scope: Scope) -> list[dict[str, Any]]:
        outputs = []
        for name, definition in (self.template.get("Outputs") or {}).items():
            if "Condition" not in definition or scope.condition(definition["Condition"]):
                output = {"OutputKey": name, "OutputValue": str(scope.resolve(definition["Value"])), "Description": definition.get("Description")}
                if definition.get("Export"):
                    output["ExportName"] = scope.resolve(definition["Export"]["Name"])
                outputs.append(output)
        return outputs

    # --- events

    def _move(self, status: str, reason: str | None = None) -> None:
        self._record(self.name, self.id, "AWS::CloudFormation::Stack", status, reason)
        self.status, self.reason = status, reason

    def _event(self, resource: Resource, status: str, reason: str | None = None) -> None:
        resource.status, resource.reason, resource.updated_at = status, reason, now()
        self._record(resource.logical_id, resource.outcome.physical_id, resource.type, status, reason, resource.properties)

    def _record(self, name: str, physical_id: str, kind: str, status: str, reason: str | None, properties: Any = None) -> None:
        self.events.append(
            {
                "EventId": settings.random_id(36),
                "StackId": self.id,
                "StackName": self.name,
                "LogicalResourceId": name,
                "PhysicalResourceId": physical_id,
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "ResourceProperties": json.dumps(properties) if properties else None,
                "Timestamp": now(),
            }
        )


@dataclass
class Template:
    body: str
    content: dict[str, Any]
    given: dict[str, str]
    parameters: dict[str, Any]


def is_custom(kind: str) -> bool:
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def in_background(operation: Callable[..., None], *arguments: Any) -> None:
    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                operation(*arguments)
            except Exception:
                _log.exception("a stack operation broke")
                raise

    threading.Thread(target=run, daemon=True).start()


def _summary(resources: dict[str, Resource], failure: Exception) -> str:
    failed = [item.logical_id for item in resources.values() if item.status.endswith("_FAILED")]
    return f"The following resource(s) failed to {'update' if any(item.status == 'UPDATE_FAILED' for item in resources.values()) else 'create'}: [{', '.join(failed)}]. " if failed else str(failure)
