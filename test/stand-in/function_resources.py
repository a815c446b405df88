"""Functions, their versions and permissions, and what invokes them."""

import io
import zipfile
from pathlib import Path
from typing import Any

from provisioning import NeedsReplacement, Outcome, Provisioner, Request, call

_CFN_RESPONSE = Path(__file__).with_name("cfn-response.cjs")


class Function:
    def create(self, request: Request) -> Outcome:
        name = request.properties.get("FunctionName") or request.name(64)
        parameters = {**self._configuration(request), "FunctionName": name, "Code": self._code(request), "Tags": request.tags}
        arn = call(request.region, "lambda", "CreateFunction", parameters)["FunctionArn"]
        concurrency = request.properties.get("ReservedConcurrentExecutions")
        if concurrency is not None:
            call(request.region, "lambda", "PutFunctionConcurrency", {"FunctionName": name, "ReservedConcurrentExecutions": concurrency})
        return self._outcome(name, arn)

    def update(self, request: Request) -> Outcome:
        if request.changed("FunctionName", "PackageType"):
            raise NeedsReplacement()
        name = request.physical_id
        if request.changed("Code"):
            call(request.region, "lambda", "UpdateFunctionCode", {"FunctionName": name, **self._code(request)})
        configuration = call(request.region, "lambda", "UpdateFunctionConfiguration", {**self._configuration(request), "FunctionName": name})
        return self._outcome(name, configuration["FunctionArn"])

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteFunction", {"FunctionName": request.physical_id})

    @staticmethod
    def _configuration(request: Request) -> dict[str, Any]:
        return {key: value for key, value in request.properties.items() if key not in ("Code", "Tags", "VpcConfig", "ReservedConcurrentExecutions")}

    @staticmethod
    def _code(request: Request) -> dict[str, Any]:
        code = request.properties["Code"]
        if "ZipFile" not in code:
            return {key: value for key, value in code.items() if key in ("S3Bucket", "S3Key")}
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            written.writestr("index.js", code["ZipFile"])
            written.writestr("node_modules/cfn-response.js", _CFN_RESPONSE.read_text())
        return {"ZipFile": archive.getvalue()}

    @staticmethod
    def _outcome(name: str, arn: str) -> Outcome:
        return Outcome(name, {"Arn": arn}.get)


class FunctionVersion:
    def create(self, request: Request) -> Outcome:
        published = call(request.region, "lambda", "PublishVersion", {"FunctionName": request.properties["FunctionName"]})
        return Outcome(published["FunctionArn"], {"Version": published["Version"], "FunctionArn": published["FunctionArn"]}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        pass


class FunctionPermission:
    def create(self, request: Request) -> Outcome:
        statement = request.name(100)
        call(request.region, "lambda", "AddPermission", {**request.properties, "StatementId": statement})
        return Outcome(statement, {"Id": statement}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "RemovePermission", {"FunctionName": request.properties["FunctionName"], "StatementId": request.physical_id})


class EventSourceMapping:
    def create(self, request: Request) -> Outcome:
        identifier = call(request.region, "lambda", "CreateEventSourceMapping", request.properties)["UUID"]
        return Outcome(identifier, {"Id": identifier}.get)

    def update(self, request: Request) -> Outcome:
        raise NeedsReplacement()

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteEventSourceMapping", {"UUID": request.physical_id})


class InvokeConfig:
    def create(self, request: Request) -> Outcome:
        call(request.region, "lambda", "PutFunctionEventInvokeConfig", request.properties)
        return Outcome(f"{request.properties['FunctionName']}|{request.properties['Qualifier']}", lambda _: None)

    update = create

    def delete(self, request: Request) -> None:
        call(request.region, "lambda", "DeleteFunctionEventInvokeConfig", {"FunctionName": request.properties["FunctionName"], "Qualifier": request.properties["Qualifier"]})


FUNCTIONS: dict[str, Provisioner] = {
    "AWS::Lambda::EventInvokeConfig": InvokeConfig(),
    "AWS::Lambda::EventSourceMapping": EventSourceMapping(),
    "AWS::Lambda::Function": Function(),
    "AWS::Lambda::Permission": FunctionPermission(),
    "AWS::Lambda::Version": FunctionVersion(),
}
