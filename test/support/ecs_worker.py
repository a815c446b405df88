"""What the real ECS worker of prefect-aws asks of Amazon ECS for a flow run, given a pool's base job template.

Reads lines from standard input, each a JSON list of {"template", "jobVariables"}; answers each with a list of {"taskDefinition", "runTask"} or
{"error"}. The requests are checked by botocore's own validator, and for what ECS says of two places of one request. The worker's own settings come
from the environment, as in its container.
"""

import asyncio
import copy
import json
import sys
from uuid import UUID

import botocore.session
from botocore.validate import ParamValidator
from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending
from prefect_aws.workers.ecs_worker import ECSJobConfiguration, ECSWorker

REGION = "us-east-1"
ARN = f"arn:aws:ecs:{REGION}:123456789012:task-definition/family:1"
FLOW_RUN = FlowRun(id=UUID(int=1), flow_id=UUID(int=2), deployment_id=UUID(int=3), name="a-run", state=Pending())
ECS = botocore.session.get_session().get_service_model("ecs")


def refuse(operation, parameters):
    report = ParamValidator().validate(parameters, ECS.operation_model(operation).input_shape)
    if report.has_errors():
        raise ValueError(f"{operation}: {report.generate_report()}")


def twice(names):
    names = list(names)
    return sorted({name for name in names if names.count(name) > 1})


def refuse_task_definition(definition):
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"""
    containers = definition["containerDefinitions"]
    names = [container.get("name") for container in containers]
    volumes = [volume["name"] for volume in definition.get("volumes", [])]
    problems = [f"containers twice: {twice(names)}"] * bool(twice(names)) + [f"volumes twice: {twice(volumes)}"] * bool(twice(volumes))
    for container in containers:
        where = container.get("name")
        variables = [entry["name"] for entry in container.get("environment", []) + container.get("secrets", [])]
        problems += [f"{where}: {name} is there twice" for name in twice(variables)]
        problems += [f"{where}: no volume {m['sourceVolume']}" for m in container.get("mountPoints", []) if m.get("sourceVolume") not in volumes]
        problems += [f"{where}: depends on {d['containerName']}" for d in container.get("dependsOn", []) if d["containerName"] not in names]
        problems += [f"{where}: no {field}" for field in ("name", "image") if not container.get(field)]
        problems += [f"{where}: an execution role is needed for secrets"] * bool(container.get("secrets") and not definition.get("executionRoleArn"))
    if problems:
        raise ValueError("; ".join(problems))


def refuse_run(definition, request):
    names = [container["name"] for container in definition["containerDefinitions"]]
    for override in request.get("overrides", {}).get("containerOverrides", []):
        if override.get("name") not in names:
            raise ValueError(f"RunTask overrides the container {override.get('name')}, and there are {names}")
        secrets = [s["name"] for c in definition["containerDefinitions"] if c["name"] == override["name"] for s in c.get("secrets", [])]
        both = [entry["name"] for entry in override.get("environment", []) if entry["name"] in secrets]
        if both:
            raise ValueError(f"RunTask gives in clear what is a secret: {both}")


async def requests(worker, template, job_variables):
    configuration = await ECSJobConfiguration.from_template_and_values(template, job_variables, client=object())
    configuration.prepare_for_flow_run(FLOW_RUN, worker_name="a worker")
    definition = worker._prepare_task_definition(configuration, region=REGION, flow_run=FLOW_RUN)
    refuse("RegisterTaskDefinition", definition)
    refuse_task_definition(definition)
    request = worker._prepare_task_run_request(configuration, copy.deepcopy(definition), ARN, True)
    refuse("RunTask", request)
    refuse_run(definition, request)
    return {"taskDefinition": definition, "runTask": request}


async def main():
    worker = ECSWorker(work_pool_name="etl")
    for line in sys.stdin:
        answers = []
        for case in json.loads(line):
            try:
                answers.append(await requests(worker, case["template"], case.get("jobVariables", {})))
            except Exception as error:
                answers.append({"error": f"{type(error).__name__}: {error}"})
        print(json.dumps(answers, default=str), flush=True)


asyncio.run(main())
