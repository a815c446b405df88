"""What both programs that give flow runs back to Prefect know of that. `projen bundle` puts it into them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient


def complete_models() -> None:
    """Before Prefect 3.6, those of its client are complete only with all of Prefect."""
    with contextlib.suppress(ImportError):
        import prefect.main  # noqa: F401


def restarts(tags: list[str]) -> bool:
    """Whether a flow run that was interrupted while it executed is executed again: as the pool says, or a tag of its own."""
    if "when-interrupted:crash" in tags:
        return False
    return os.environ.get("INTERRUPTED_RUNS") != "crash" or "when-interrupted:restart" in tags



def lacks_results(environment: MutableMapping[str, str]) -> bool:
    """Takes away the worker's storage of results where the image has no prefect-aws to write to it, and flow runs would crash."""
    storage = "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK"
    if not environment.get(storage, "").startswith("s3-bucket/results-of-") or importlib.util.find_spec("prefect_aws"):
        return False
    del environment[storage]
    environment.pop("PREFECT_RESULTS_PERSIST_BY_DEFAULT", None)
    return True


NO_RESULTS = "warning: this image has no prefect-aws, so results are not kept, and flow runs that start again repeat all of their tasks"


def reset_policy(api: SyncPrefectClient, run: UUID, interrupted: bool) -> None:
    """What a flow run needs beside its state so that a worker takes it again, and its flow has all the retries that it asks for."""
    flow_run = api.read_flow_run(run)  # Its policy may have changed with its state.
    policy = flow_run.empirical_policy
    changes: dict[str, Any] = {}
    if interrupted and policy.retries is not None:
        changes["retries"] = policy.retries + 1  # Prefect counts how often it has begun.
    if policy.retry_type == "in_process":
        # Prefect leaves such a run, and its slot of the deployment's concurrency limit, to the process that has tried it before.
        changes["retry_type"] = "reschedule"
        lease = flow_run.state and flow_run.state.state_details.deployment_concurrency_lease_id
        if lease:
            with contextlib.suppress(Exception):  # it ends by itself, within minutes
                api.release_concurrency_slots_with_lease(lease)
    if changes:
        api.update_flow_run(run, empirical_policy=policy.model_copy(update=changes))
