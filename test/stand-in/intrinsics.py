"""CloudFormation's functions, pseudo parameters and dynamic references."""

import base64
import ipaddress
import json
import re
from dataclasses import dataclass, field
from typing import Any, Callable

from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

import settings

_ABSENT = object()
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")


class TemplateError(Exception):
    """The template cannot be resolved; the text is what the stack's event gives as the reason."""


@dataclass
class Scope:
    region: str
    stack_name: str
    stack_id: str
    template: dict[str, Any]
    parameters: dict[str, Any]
    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    imported: Callable[[str], Any]
    _conditions: dict[str, bool] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        resolved = self._resolve(value)
        return None if resolved is _ABSENT else resolved

    def condition(self, name: str) -> bool:
        if name not in self._conditions:
            self._conditions[name] = bool(self.resolve(self.template["Conditions"][name]))
        return self._conditions[name]

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _ABSENT]
        if isinstance(value, str):
            return _DYNAMIC.sub(lambda match: self._dynamic(match.group(1), match.group(2)), value) if "{{resolve:" in value else value
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(argument)
            if name == "Condition" and isinstance(argument, str):
                return self.condition(argument)
            if name.startswith("Fn::"):
                function = getattr(self, f"_fn_{name[4:].lower()}", None)
                if function is None:
                    raise TemplateError(f"Template error: the stand-in does not know {name}")
                return function(argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _ABSENT}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::AccountId": settings.ACCOUNT,
            "AWS::NoValue": _ABSENT,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        return self.parameters[name] if name in self.parameters else self.reference(name)

    def _fn_getatt(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))
        return self.attribute(name, attribute)

    def _fn_join(self, argument: Any) -> str:
        return str(argument[0]).join(_text(item) for item in self.resolve(argument[1]))

    def _fn_sub(self, argument: Any) -> str:
        template, variables = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.resolve(item) for key, item in variables.items()}

        def substitute(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in values:
                return _text(values[name])
            return _text(self._fn_getatt(name) if "." in name else self._ref(name))

        return str(self._resolve(_SUBSTITUTION.sub(substitute, template)))

    def _fn_select(self, argument: Any) -> Any:
        index, items = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(items):
            raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _fn_split(self, argument: Any) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _fn_if(self, argument: Any) -> Any:
        return self._resolve(argument[1] if self.condition(argument[0]) else argument[2])

    def _fn_equals(self, argument: Any) -> bool:
        first, second = (_text(self.resolve(item)) for item in argument)
        return first == second

    def _fn_not(self, argument: Any) -> bool:
        return not self.resolve(argument[0])

    def _fn_and(self, argument: Any) -> bool:
        return all(self.resolve(item) for item in argument)

    def _fn_or(self, argument: Any) -> bool:
        return any(self.resolve(item) for item in argument)

    def _fn_contains(self, argument: Any) -> bool:
        return self.resolve(argument[1]) in self.resolve(argument[0])

    def _fn_findinmap(self, argument: Any) -> Any:
        names = [self.resolve(item) for item in argument[:3]]
        found: Any = self.template.get("Mappings", {})
        for name in names:
            if name not in found:
                if len(argument) > 3 and "DefaultValue" in argument[3]:
                    return self._resolve(argument[3]["DefaultValue"])
                raise TemplateError(f"Template error: Unable to get mapping for {'::'.join(map(str, names))}")
            found = found[name]
        return found

    def _fn_getazs(self, argument: Any) -> list[str]:
        region = self.resolve(argument) or self.region
        return [f"{region}{letter}" for letter in "abc"]

    def _fn_base64(self, argument: Any) -> str:
        return base64.b64encode(_text(self.resolve(argument)).encode()).decode()

    def _fn_cidr(self, argument: Any) -> list[str]:
        block, count, bits = self.resolve(argument[0]), int(self.resolve(argument[1])), int(self.resolve(argument[2]))
        network = ipaddress.ip_network(block)
        subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
        return [str(next(subnets)) for _ in range(count)]

    def _fn_importvalue(self, argument: Any) -> Any:
        return self.imported(self.resolve(argument))

    def _fn_tojsonstring(self, argument: Any) -> str:
        return json.dumps(self.resolve(argument))

    def _fn_length(self, argument: Any) -> int:
        return len(self.resolve(argument))

    def _dynamic(self, service: str, reference: str) -> str:
        if service != "secretsmanager":
            parameter = ssm_backends[settings.ACCOUNT][self.region].get_parameter(reference)
            if parameter is None:
                raise TemplateError(f"Parameter {reference} not found.")
            return str(parameter.value)
        parts = reference.split(":")
        size = 7 if parts[0] == "arn" else 1
        identifier, (_, key, stage, version, *_) = ":".join(parts[:size]), [*parts[size:], "", "", "", ""]
        found = secretsmanager_backends[settings.ACCOUNT][self.region].get_secret_value(identifier, version, stage)["SecretString"]
        return str(json.loads(found)[key]) if key else str(found)


def dependencies(resource: dict[str, Any], names: set[str]) -> set[str]:
    declared = resource.get("DependsOn") or []
    found = {declared} if isinstance(declared, str) else set(declared)
    _collect(resource.get("Properties") or {}, found)
    return found & names


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                found.add(item)
            elif key == "Fn::GetAtt":
                found.add(item.split(".", 1)[0] if isinstance(item, str) else item[0])
            elif key == "Fn::Sub":
                template = item if isinstance(item, str) else item[0]
                found.update(match.group(2).split(".", 1)[0] for match in _SUBSTITUTION.finditer(template))
            _collect(item, found)


def creation_order(resources: dict[str, Any]) -> list[str]:
    names, order, visiting = set(resources), [], set()

    def visit(name: str) -> None:
        if name in order:
            return
        if name in visiting:
            raise TemplateError(f"Circular dependency between resources: [{', '.join(sorted(visiting))}]")
        visiting.add(name)
        for other in sorted(dependencies(resources[name], names)):
            visit(other)
        visiting.discard(name)
        order.append(name)

    for name in resources:
        visit(name)
    return order


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
