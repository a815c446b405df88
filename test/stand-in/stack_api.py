"""The CloudFormation API over `stacks`: what the CDK's command line and users ask for."""

import json
from typing import Any
from urllib.parse import unquote, urlparse

import moto.cloudformation.urls
import yaml
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.responses import ActionResult, BaseResponse
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

import settings
from intrinsics import TemplateError, creation_order
from refusal import Refusal
from settings import now
from stacks import Stack, Template, in_background

_BUSY = ("_IN_PROGRESS",)

_stacks: list[Stack] = []
_change_sets: list[dict[str, Any]] = []


def _refuse(message: str) -> Refusal:
    return Refusal("ValidationError", message)


class CloudFormationResponse(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    @property
    def _request(self) -> dict[str, Any]:
        return dict(self.params)

    # --- change sets

    def create_change_set(self) -> ActionResult:
        request = self._request
        stack = self._find(request["StackName"], optional=True)
        if request.get("ChangeSetType") == "CREATE" or stack is None:
            stack = stack if stack is not None and stack.status == "REVIEW_IN_PROGRESS" else self._new(request["StackName"])
        template = self._template(request, stack)
        changes = _changes(stack, template)
        unchanged = not changes and stack.status != "REVIEW_IN_PROGRESS" and stack.template.get("Outputs") == template.content.get("Outputs")
        change_set = {
            "ChangeSetName": request["ChangeSetName"],
            "ChangeSetId": f"arn:aws:cloudformation:{self.region}:{settings.ACCOUNT}:changeSet/{request['ChangeSetName']}/{settings.random_id(32)}",
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": request.get("Description"),
            "CreationTime": now(),
            "Status": "FAILED" if unchanged else "CREATE_COMPLETE",
            "ExecutionStatus": "UNAVAILABLE" if unchanged else "AVAILABLE",
            "StatusReason": "The submitted information didn't contain changes. Submit different information to create a change set." if unchanged else None,
            "Changes": changes,
            "Parameters": _parameters(template.given),
            "Capabilities": request.get("Capabilities") or [],
            "Tags": request.get("Tags") or [],
            "IncludeNestedStacks": False,
            "template": template,
            "stack": stack,
            "role": request.get("RoleARN"),
            "roll_back": request.get("OnStackFailure") != "DO_NOTHING",
        }
        _change_sets.append(change_set)
        return ActionResult({"Id": change_set["ChangeSetId"], "StackId": stack.id})

    def describe_change_set(self) -> ActionResult:
        return ActionResult({key: value for key, value in self._change_set().items() if key[0].isupper()})

    def delete_change_set(self) -> ActionResult:
        change_set = self._change_set(optional=True)
        if change_set is not None:
            _change_sets.remove(change_set)
        return ActionResult({})

    def list_change_sets(self) -> ActionResult:
        stack = self._find(self._request["StackName"])
        return ActionResult({"Summaries": [item for item in _change_sets if item["stack"] is stack]})

    def execute_change_set(self) -> ActionResult:
        change_set = self._change_set()
        if change_set["ExecutionStatus"] != "AVAILABLE":
            raise Refusal("InvalidChangeSetStatus", f"ChangeSet [{change_set['ChangeSetId']}] cannot be executed in its current status of [{change_set['Status']}]")
        change_set["ExecutionStatus"] = "EXECUTE_COMPLETE"
        roll_back = change_set["roll_back"] and not self._request.get("DisableRollback")
        self._start(change_set["stack"], change_set["template"], change_set["Capabilities"], change_set["Tags"], change_set["role"], roll_back)
        return ActionResult({})

    # --- stacks

    def create_stack(self) -> ActionResult:
        request = self._request
        stack = self._new(request["StackName"])
        roll_back = not request.get("DisableRollback") and request.get("OnFailure") != "DO_NOTHING"
        self._start(stack, self._template(request, stack), request.get("Capabilities"), request.get("Tags"), request.get("RoleARN"), roll_back)
        return ActionResult({"StackId": stack.id})

    def update_stack(self) -> ActionResult:
        request = self._request
        stack = self._find(request["StackName"])
        template = self._template(request, stack)
        if not _changes(stack, template) and stack.template.get("Outputs") == template.content.get("Outputs"):
            raise _refuse("No updates are to be performed.")
        self._start(stack, template, request.get("Capabilities"), request.get("Tags"), request.get("RoleARN"), not request.get("DisableRollback"))
        return ActionResult({"StackId": stack.id})

    def delete_stack(self) -> ActionResult:
        stack = self._find(self._request["StackName"], optional=True)
        if stack is not None and stack.status != "DELETE_COMPLETE":
            if stack.protected:
                raise _refuse(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            stack.begin("DELETE")
            in_background(stack.delete, list(self._request.get("RetainResources") or []))
        return ActionResult({})

    def describe_stacks(self) -> ActionResult:
        wanted = self._request.get("StackName")
        stacks = [self._find(wanted)] if wanted else [item for item in self._here() if item.status != "DELETE_COMPLETE"]
        return ActionResult({"Stacks": [_describe(item) for item in stacks]})

    def list_stacks(self) -> ActionResult:
        statuses = self._request.get("StackStatusFilter") or []
        return ActionResult({"StackSummaries": [_describe(item) for item in self._here() if not statuses or item.status in statuses]})

    def describe_stack_events(self) -> ActionResult:
        reference = self._request["StackName"]
        stack = self._find(reference, optional=True)
        if stack is None:
            # This action has words of its own for it, by which the CDK knows that the stack is gone.
            raise _refuse(f"Stack [{reference}] does not exist")
        return ActionResult({"StackEvents": list(reversed(stack.events))})

    def describe_events(self) -> ActionResult:
        reference = self._request.get("StackName")
        events = list(reversed(self._find(reference).events)) if reference else []
        if (self._request.get("Filters") or {}).get("FailedEvents"):
            events = [item for item in events if item["ResourceStatus"].endswith("_FAILED")]
        return ActionResult({"OperationEvents": events})

    def describe_stack_resources(self) -> ActionResult:
        name = self._request.get("LogicalResourceId")
        stack = self._find(self._request["StackName"])
        return ActionResult({"StackResources": [_resource(stack, item) for item in stack.resources.values() if name in (None, item.logical_id)]})

    def describe_stack_resource(self) -> ActionResult:
        stack, name = self._find(self._request["StackName"]), self._request["LogicalResourceId"]
        if name not in stack.resources:
            raise _refuse(f"Resource {name} does not exist for stack {stack.name}")
        return ActionResult({"StackResourceDetail": _resource(stack, stack.resources[name])})

    def list_stack_resources(self) -> ActionResult:
        stack = self._find(self._request["StackName"])
        return ActionResult({"StackResourceSummaries": [_resource(stack, item) for item in stack.resources.values()]})

    def get_template(self) -> ActionResult:
        return ActionResult({"TemplateBody": self._find(self._request["StackName"]).body, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        stack = self._find(self._request["StackName"]) if self._request.get("StackName") else None
        content = stack.template if stack else _parse(self._body(self._request, None))
        declared = [
            {"ParameterKey": name, "DefaultValue": item.get("Default"), "ParameterType": item.get("Type"), "NoEcho": bool(item.get("NoEcho"))}
            for name, item in (content.get("Parameters") or {}).items()
        ]
        return ActionResult({"Parameters": declared, "ResourceTypes": sorted({item["Type"] for item in (content.get("Resources") or {}).values()}), "Description": content.get("Description")})

    def list_exports(self) -> ActionResult:
        outputs = [(stack, item) for stack in self._here() if stack.status != "DELETE_COMPLETE" for item in stack.outputs if "ExportName" in item]
        return ActionResult({"Exports": [{"ExportingStackId": stack.id, "Name": item["ExportName"], "Value": item["OutputValue"]} for stack, item in outputs]})

    def list_imports(self) -> ActionResult:
        name = self._request["ExportName"]
        importing = [item.name for item in self._here() if item.status != "DELETE_COMPLETE" and json.dumps({"Fn::ImportValue": name}) in json.dumps(item.template)]
        if not importing:
            raise _refuse(f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": importing})

    def update_termination_protection(self) -> ActionResult:
        stack = self._find(self._request["StackName"])
        stack.protected = bool(self._request["EnableTerminationProtection"])
        return ActionResult({"StackId": stack.id})

    def validate_template(self) -> ActionResult:
        content = _parse(self._body(self._request, None))
        return ActionResult({"Parameters": [{"ParameterKey": name} for name in content.get("Parameters") or {}], "Capabilities": []})

    # --- what they share

    def _here(self) -> list[Stack]:
        return [item for item in _stacks if item.region == self.region]

    def _find(self, reference: str, optional: bool = False) -> Any:
        by_id = [item for item in self._here() if item.id == reference]
        by_name = [item for item in self._here() if item.name == reference and item.status != "DELETE_COMPLETE"]
        found = by_id or by_name
        if not found and not optional:
            raise _refuse(f"Stack with id {reference} does not exist")
        return found[-1] if found else None

    def _new(self, name: str) -> Stack:
        if self._find(name, optional=True) is not None:
            raise Refusal("AlreadyExistsException", f"Stack [{name}] already exists")
        stack = Stack(name, self.region)
        _stacks.append(stack)
        return stack

    def _change_set(self, optional: bool = False) -> Any:
        name, stack = self._request["ChangeSetName"], self._request.get("StackName")
        for item in reversed(_change_sets):
            if name == item["ChangeSetId"] or (name == item["ChangeSetName"] and stack in (item["StackName"], item["StackId"])):
                return item
        if optional:
            return None
        raise Refusal("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")

    def _start(self, stack: Stack, template: Template, capabilities: Any, tags: Any, role: str | None, roll_back: bool) -> None:
        if stack.status.endswith(_BUSY) and stack.status != "REVIEW_IN_PROGRESS":
            raise _refuse(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            raise _refuse(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        stack.capabilities, stack.tags, stack.role_arn = list(capabilities or []), list(tags or []), role
        creates = stack.status == "REVIEW_IN_PROGRESS"
        stack.begin("CREATE" if creates else "UPDATE")
        in_background(stack.create if creates else stack.update, template, roll_back, self._imported)

    def _imported(self, name: str) -> str:
        for stack in [item for item in _stacks if item.region == self.region and item.status != "DELETE_COMPLETE"]:
            for output in stack.outputs:
                if output.get("ExportName") == name:
                    return str(output["OutputValue"])
        raise TemplateError(f"No export named {name} found.")

    def _template(self, request: dict[str, Any], stack: Stack) -> Template:
        body = stack.body if request.get("UsePreviousTemplate") else self._body(request, stack)
        content = _parse(body)
        try:
            creation_order(content.get("Resources") or {})
        except TemplateError as error:
            raise _refuse(str(error)) from error
        given = {}
        for item in request.get("Parameters") or []:
            name = item["ParameterKey"]
            if not item.get("UsePreviousValue"):
                given[name] = item.get("ParameterValue", "")
            elif name in stack.given:
                given[name] = stack.given[name]
        return Template(body, content, given, self._resolved(content, given))

    def _body(self, request: dict[str, Any], stack: Stack | None) -> str:
        if request.get("TemplateBody"):
            return str(request["TemplateBody"])
        url = urlparse(request.get("TemplateURL") or "")
        path = unquote(url.path).lstrip("/")
        # An IP address in the URL makes the S3 client write the bucket into the path.
        bucket, key = path.split("/", 1) if url.hostname in ("127.0.0.1", "localhost") or (url.hostname or "").startswith("s3") else ((url.hostname or "").split(".")[0], path)
        stored = s3_backends[settings.ACCOUNT]["aws"].get_object(bucket, key)
        if stored is None:
            raise _refuse(f"S3 error: there is no template at {request.get('TemplateURL')}")
        return stored.value.decode()

    def _resolved(self, content: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
        resolved: dict[str, Any] = {}
        declared = content.get("Parameters") or {}
        unknown = set(given) - set(declared)
        if unknown:
            raise _refuse(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
        for name, item in declared.items():
            value = given.get(name, item.get("Default"))
            if value is None:
                raise _refuse(f"Parameters: [{name}] must have values")
            if item["Type"].startswith("AWS::SSM::Parameter::Value"):
                parameter = ssm_backends[settings.ACCOUNT][self.region].get_parameter(str(value))
                if parameter is None:
                    raise _refuse(f"Unable to fetch parameters [{value}] from parameter store for this account.")
                value = parameter.value
            resolved[name] = str(value).split(",") if "List" in item["Type"] else value
        return resolved


def _parse(body: str) -> dict[str, Any]:
    try:
        return json.loads(body)  # type: ignore[no-any-return]
    except ValueError:
        yaml.add_multi_constructor("", yaml_tag_constructor, Loader=yaml.Loader)
        return yaml.load(body, Loader=yaml.Loader)  # type: ignore[no-any-return]


def _changes(stack: Stack, template: Template) -> list[dict[str, Any]]:
    old, new = {item.logical_id: item.definition for item in stack.resources.values()}, template.content.get("Resources") or {}
    moved = stack.parameters != template.parameters
    actions = [("Add", name) for name in new if name not in old] + [("Remove", name) for name in old if name not in new]
    actions += [("Modify", name) for name in new if name in old and (new[name] != old[name] or moved)]
    return [
        {"Type": "Resource", "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": (new.get(name) or old.get(name) or {})["Type"], "Replacement": "False" if action == "Modify" else None, "Details": [], "Scope": []}}
        for action, name in actions
    ]


def _parameters(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]


def _describe(stack: Stack) -> dict[str, Any]:
    hidden = {name for name, item in (stack.template.get("Parameters") or {}).items() if item.get("NoEcho")}
    given = {name: str(item.get("Default", "")) for name, item in (stack.template.get("Parameters") or {}).items()} | stack.given
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.template.get("Description"),
        "TemplateDescription": stack.template.get("Description"),
        "Parameters": _parameters({name: "****" if name in hidden else value for name, value in given.items()}),
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "RollbackConfiguration": {},
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DisableRollback": False,
        "NotificationARNs": [],
        "Capabilities": stack.capabilities,
        "Outputs": stack.outputs,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _resource(stack: Stack, resource: Any) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.outcome.physical_id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "Timestamp": resource.updated_at,
        "LastUpdatedTimestamp": resource.updated_at,
        "Metadata": json.dumps(resource.definition.get("Metadata")) if resource.definition.get("Metadata") else None,
    }


def patch() -> None:
    moto.cloudformation.urls.url_paths = {"{0}/$": CloudFormationResponse.dispatch}
