"""The CloudFormation API over `stacks`: what the CDK's command line and users ask for."""

import json
from typing import Any

import moto.cloudformation.urls
from moto.core.responses import ActionResult, BaseResponse

import settings
from intrinsics import TemplateError
from refusal import Refusal, validation_error
from requested_templates import requested_content, requested_template
from settings import now
from stack_descriptions import changes_of, described_parameters, described_resource, described_stack
from stacks import Stack, Template, in_background

_BUSY = ("_IN_PROGRESS",)

_stacks: list[Stack] = []
_change_sets: list[dict[str, Any]] = []


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
        template = requested_template(request, stack)
        changes = changes_of(stack, template)
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
            "Parameters": described_parameters(template.given),
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
        self._start(stack, requested_template(request, stack), request.get("Capabilities"), request.get("Tags"), request.get("RoleARN"), roll_back)
        return ActionResult({"StackId": stack.id})

    def update_stack(self) -> ActionResult:
        request = self._request
        stack = self._find(request["StackName"])
        template = requested_template(request, stack)
        if not changes_of(stack, template) and stack.template.get("Outputs") == template.content.get("Outputs"):
            raise validation_error("No updates are to be performed.")
        self._start(stack, template, request.get("Capabilities"), request.get("Tags"), request.get("RoleARN"), not request.get("DisableRollback"))
        return ActionResult({"StackId": stack.id})

    def delete_stack(self) -> ActionResult:
        stack = self._find(self._request["StackName"], optional=True)
        if stack is not None and stack.status != "DELETE_COMPLETE":
            if stack.protected:
                raise validation_error(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            stack.begin("DELETE")
            in_background(stack.delete, list(self._request.get("RetainResources") or []))
        return ActionResult({})

    def describe_stacks(self) -> ActionResult:
        wanted = self._request.get("StackName")
        stacks = [self._find(wanted)] if wanted else [item for item in self._here() if item.status != "DELETE_COMPLETE"]
        return ActionResult({"Stacks": [described_stack(item) for item in stacks]})

    def list_stacks(self) -> ActionResult:
        statuses = self._request.get("StackStatusFilter") or []
        return ActionResult({"StackSummaries": [described_stack(item) for item in self._here() if not statuses or item.status in statuses]})

    def describe_stack_events(self) -> ActionResult:
        reference = self._request["StackName"]
        stack = self._find(reference, optional=True)
        if stack is None:
            # This action has words of its own for it, by which the CDK knows that the stack is gone.
            raise validation_error(f"Stack [{reference}] does not exist")
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
        return ActionResult({"StackResources": [described_resource(stack, item) for item in stack.resources.values() if name in (None, item.logical_id)]})

    def describe_stack_resource(self) -> ActionResult:
        stack, name = self._find(self._request["StackName"]), self._request["LogicalResourceId"]
        if name not in stack.resources:
            raise validation_error(f"Resource {name} does not exist for stack {stack.name}")
        return ActionResult({"StackResourceDetail": described_resource(stack, stack.resources[name])})

    def list_stack_resources(self) -> ActionResult:
        stack = self._find(self._request["StackName"])
        return ActionResult({"StackResourceSummaries": [described_resource(stack, item) for item in stack.resources.values()]})

    def get_template(self) -> ActionResult:
        return ActionResult({"TemplateBody": self._find(self._request["StackName"]).body, "StagesAvailable": ["Original", "Processed"]})

    def get_template_summary(self) -> ActionResult:
        stack = self._find(self._request["StackName"]) if self._request.get("StackName") else None
        content = stack.template if stack else requested_content(self._request)
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
            raise validation_error(f"Export '{name}' is not imported by any stack.")
        return ActionResult({"Imports": importing})

    def update_termination_protection(self) -> ActionResult:
        stack = self._find(self._request["StackName"])
        stack.protected = bool(self._request["EnableTerminationProtection"])
        return ActionResult({"StackId": stack.id})

    def validate_template(self) -> ActionResult:
        content = requested_content(self._request)
        return ActionResult({"Parameters": [{"ParameterKey": name} for name in content.get("Parameters") or {}], "Capabilities": []})

    # --- what they share

    def _here(self) -> list[Stack]:
        return [item for item in _stacks if item.region == self.region]

    def _find(self, reference: str, optional: bool = False) -> Any:
        by_id = [item for item in self._here() if item.id == reference]
        by_name = [item for item in self._here() if item.name == reference and item.status != "DELETE_COMPLETE"]
        found = by_id or by_name
        if not found and not optional:
            raise validation_error(f"Stack with id {reference} does not exist")
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
            raise validation_error(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
            raise validation_error(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
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


def patch() -> None:
    moto.cloudformation.urls.url_paths = {"{0}/$": CloudFormationResponse.dispatch}
