import json

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from worker_stack import WorkerStack


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.from_stack(WorkerStack(App(), "Test"))


def test_the_service_has_what_the_escape_hatch_sets(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ECS::Service", {"DeploymentConfiguration": Match.object_like({"BakeTimeInMinutes": 5})}
    )


def test_flow_runs_have_the_agent_beside_them(template: Template) -> None:
    [pool] = template.find_resources("Custom::PrefectWorkPool").values()
    assert "datadog/agent" in json.dumps(pool)


def test_nothing_can_reach_the_worker(template: Template) -> None:
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    of_tasks = {name: group for name, group in groups.items() if "WorkerSecurityGroup" in name or "FlowRunSecurityGroup" in name}
    assert len(of_tasks) == 2
    assert not any("SecurityGroupIngress" in group["Properties"] for group in of_tasks.values())
