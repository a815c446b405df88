"""Stacks, their resources and what changes in them, in the words of the CloudFormation API."""

import json
from typing import Any

from stacks import Stack, Template


def changes_of(stack: Stack, template: Template) -> list[dict[str, Any]]:
    old, new = {item.logical_id: item.definition for item in stack.resources.values()}, template.content.get("Resources") or {}
    moved = stack.parameters != template.parameters
    actions = [("Add", name) for name in new if name not in old] + [("Remove", name) for name in old if name not in new]
    actions += [("Modify", name) for name in new if name in old and (new[name] != old[name] or moved)]
    return [
        {"Type": "Resource", "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": (new.get(name) or old.get(name) or {})["Type"], "Replacement": "False" if action == "Modify" else None, "Details": [], "Scope": []}}
        for action, name in actions
    ]


def described_parameters(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]


def described_stack(stack: Stack) -> dict[str, Any]:
    hidden = {name for name, item in (stack.template.get("Parameters") or {}).items() if item.get("NoEcho")}
    given = {name: str(item.get("Default", "")) for name, item in (stack.template.get("Parameters") or {}).items()} | stack.given
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": stack.template.get("Description"),
        "TemplateDescription": stack.template.get("Description"),
        "Parameters": described_parameters({name: "****" if name in hidden else value for name, value in given.items()}),
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


def described_resource(stack: Stack, resource: Any) -> dict[str, Any]:
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
