"""Roles, policies, keys and secrets."""

import json
import secrets
import string
from typing import Any

import settings
from provisioning import NeedsReplacement, Outcome, Provisioner, Request, call


class Role:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("RoleName") or request.name(64)
        properties = request.properties
        role = call(request.region, "iam", "CreateRole", {**_without_policies(properties), "RoleName": name, "AssumeRolePolicyDocument": json.dumps(properties["AssumeRolePolicyDocument"])})["Role"]
        self._attach(request, name)
        return Outcome(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("RoleName", "Path"):
            raise NeedsReplacement()
        name = request.physical_id
        call(request.region, "iam", "UpdateAssumeRolePolicy", {"RoleName": name, "PolicyDocument": json.dumps(request.properties["AssumeRolePolicyDocument"])})
        self._detach(request, request.old_properties)
        self._attach(request, name)
        role = call(request.region, "iam", "GetRole", {"RoleName": name})["Role"]
        return Outcome(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}.get)

    def delete(self, request: Request) -> None:
        self._detach(request, request.properties)
        call(request.region, "iam", "DeleteRole", {"RoleName": request.physical_id})

    @staticmethod
    def _attach(request: Request, name: str) -> None:
        for arn in request.properties.get("ManagedPolicyArns") or []:
            call(request.region, "iam", "AttachRolePolicy", {"RoleName": name, "PolicyArn": arn})
        for policy in request.properties.get("Policies") or []:
            call(request.region, "iam", "PutRolePolicy", {"RoleName": name, "PolicyName": policy["PolicyName"], "PolicyDocument": json.dumps(policy["PolicyDocument"])})

    @staticmethod
    def _detach(request: Request, properties: dict[str, Any]) -> None:
        for arn in properties.get("ManagedPolicyArns") or []:
            call(request.region, "iam", "DetachRolePolicy", {"RoleName": request.physical_id, "PolicyArn": arn})
        for policy in properties.get("Policies") or []:
            call(request.region, "iam", "DeleteRolePolicy", {"RoleName": request.physical_id, "PolicyName": policy["PolicyName"]})


class Policy:
    def create(self, request: Request) -> Outcome:
        properties = request.properties
        for role in properties.get("Roles") or []:
            call(request.region, "iam", "PutRolePolicy", {"RoleName": role, "PolicyName": properties["PolicyName"], "PolicyDocument": json.dumps(properties["PolicyDocument"])})
        return Outcome(request.physical_id or request.name(128), lambda _: None)

    def update(self, request: Request) -> Outcome:
        for role in set(request.old_properties.get("Roles") or []) - set(request.properties.get("Roles") or []):
            call(request.region, "iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": request.old_properties["PolicyName"]})
        return self.create(request)

    def delete(self, request: Request) -> None:
        for role in request.properties.get("Roles") or []:
            call(request.region, "iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": request.properties["PolicyName"]})


class ManagedPolicy:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("ManagedPolicyName") or request.name(128)
        document = json.dumps(request.properties["PolicyDocument"])
        arn = call(request.region, "iam", "CreatePolicy", {**request.properties, "PolicyName": name, "PolicyDocument": document})["Policy"]["Arn"]
        for role in request.properties.get("Roles") or []:
            call(request.region, "iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})
        return Outcome(arn, {"PolicyArn": arn}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        for role in request.properties.get("Roles") or []:
            call(request.region, "iam", "DetachRolePolicy", {"RoleName": role, "PolicyArn": request.physical_id})
        call(request.region, "iam", "DeletePolicy", {"PolicyArn": request.physical_id})


class Secret:
    def create(self, request: Request) -> Outcome:
        properties = {key: value for key, value in request.properties.items() if key != "GenerateSecretString"}
        name = properties.get("Name") or request.name(200)
        arn = call(request.region, "secretsmanager", "CreateSecret", {**properties, "Name": name, "SecretString": secret_text(request)})["ARN"]
        return Outcome(arn, {"Id": arn}.get)

    def update(self, request: Request) -> Outcome:
        if request.changed("Name"):
            raise NeedsReplacement()
        changes = {key: request.properties[key] for key in ("Description", "KmsKeyId", "SecretString") if key in request.properties and request.changed(key)}
        if changes:
            call(request.region, "secretsmanager", "UpdateSecret", {**changes, "SecretId": request.physical_id})
        return Outcome(request.physical_id, {"Id": request.physical_id}.get)

    def delete(self, request: Request) -> None:
        call(request.region, "secretsmanager", "DeleteSecret", {"SecretId": request.physical_id, "ForceDeleteWithoutRecovery": True})


def secret_text(request: Request) -> str | None:
    generated = request.properties.get("GenerateSecretString")
    if generated is None:
        return request.properties.get("SecretString")
    alphabet = string.ascii_letters + string.digits + ("" if str(generated.get("ExcludePunctuation")).lower() == "true" else "!#$%&()*+,-./:;<=>?@[]^_{|}~")
    allowed = [letter for letter in alphabet if letter not in generated.get("ExcludeCharacters", "")]
    password = "".join(secrets.choice(allowed) for _ in range(int(generated.get("PasswordLength") or 32)))
    if "GenerateStringKey" not in generated:
        return password
    return json.dumps({**json.loads(generated.get("SecretStringTemplate") or "{}"), generated["GenerateStringKey"]: password})


class SecretPolicy:
    def create(self, request: Request) -> Outcome:
        secret = request.properties["SecretId"]
        call(request.region, "secretsmanager", "PutResourcePolicy", {"SecretId": secret, "ResourcePolicy": json.dumps(request.properties["ResourcePolicy"])})
        return Outcome(secret, {"Id": secret}.get)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "secretsmanager", "DeleteResourcePolicy", {"SecretId": request.properties["SecretId"]})


class SecretAttachment:
    def create(self, request: Request) -> Outcome:
        secret = request.properties["SecretId"]
        return Outcome(secret, {"Id": secret}.get)

    update = create

    def delete(self, request: Request) -> None:
        pass


class Key:
    def create(self, request: Request) -> Outcome:
        parameters = {**request.properties, "Policy": json.dumps(request.properties.get("KeyPolicy") or {}), "Tags": _key_tags(request)}
        metadata = call(request.region, "kms", "CreateKey", parameters)["KeyMetadata"]
        return Outcome(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]}.get)

    def update(self, request: Request) -> Outcome:
        policy = json.dumps(request.properties.get("KeyPolicy") or {})
        call(request.region, "kms", "PutKeyPolicy", {"KeyId": request.physical_id, "PolicyName": "default", "Policy": policy})
        arn = f"arn:aws:kms:{request.region}:{settings.ACCOUNT}:key/{request.physical_id}"
        return Outcome(request.physical_id, {"Arn": arn, "KeyId": request.physical_id}.get)

    def delete(self, request: Request) -> None:
        call(request.region, "kms", "ScheduleKeyDeletion", {"KeyId": request.physical_id, "PendingWindowInDays": 7})


class KeyAlias:
    def create(self, request: Request) -> Outcome:
        call(request.region, "kms", "CreateAlias", request.properties)
        return Outcome(request.properties["AliasName"], lambda _: None)

    def update(self, request: Request) -> Outcome:
        if request.changed("AliasName"):
            raise NeedsReplacement()
        call(request.region, "kms", "UpdateAlias", request.properties)
        return Outcome(request.physical_id, lambda _: None)

    def delete(self, request: Request) -> None:
        call(request.region, "kms", "DeleteAlias", {"AliasName": request.physical_id})


def _without_policies(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in ("Policies", "ManagedPolicyArns")}


def _key_tags(request: Request) -> list[dict[str, str]]:
    return [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in request.properties.get("Tags") or []]


IDENTITY: dict[str, Provisioner] = {
    "AWS::IAM::ManagedPolicy": ManagedPolicy(),
    "AWS::IAM::Policy": Policy(),
    "AWS::IAM::Role": Role(),
    "AWS::KMS::Alias": KeyAlias(),
    "AWS::KMS::Key": Key(),
    "AWS::SecretsManager::ResourcePolicy": SecretPolicy(),
    "AWS::SecretsManager::Secret": Secret(),
    "AWS::SecretsManager::SecretTargetAttachment": SecretAttachment(),
}
