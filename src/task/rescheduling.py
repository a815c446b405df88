"""Gives the flow runs of a worker that is gone back to Prefect."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from hand_back import complete_models, reset_policy, restarts
from supervision import say

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


def reschedule(runs: set[str], worker: str) -> None:
    """Gives flow runs whose processes are gone back to Prefect. Tries until the container is killed."""
    from prefect.client.orchestration import get_client

    complete_models()
    done: dict[str, bool] = {}
    while len(done) < len(runs):
        with get_client(sync_client=True) as api:
            for run in sorted(runs - done.keys()):
                try:
                    done[run] = reschedule_one(api, run, worker)
                except Exception as error:
                    say(f"warning: flow run {run} is not rescheduled yet: {error!r}")
        time.sleep(0 if len(done) == len(runs) else 1)
    say(f"{sum(done.values())} flow runs rescheduled")


def reschedule_one(api: SyncPrefectClient, run: str, worker: str) -> bool:
    """Whether it was; a run that has ended, or waits for someone, is left as it is."""
    from prefect.exceptions import ObjectNotFound
    from prefect.states import AwaitingRetry, Cancelled, Crashed

    try:
        flow_run = api.read_flow_run(uuid.UUID(run))
    except ObjectNotFound:
        return False
    kind, message = (flow_run.state.type.value, flow_run.state.message or "") if flow_run.state else ("", "")
    if (getattr(flow_run, "labels", None) or {}).get("prefect.worker.name", worker) != worker:
        return False  # another worker has it by now
    if kind == "CANCELLING":
        api.set_flow_run_state(flow_run.id, Cancelled(message="Cancelled while its worker stopped."))
    # So is one that counts as crashed only because its heartbeats did not get through.
    executed = kind == "RUNNING" or kind == "CRASHED" and is_silence(message)
    if executed and not restarts(flow_run.tags):
        crashed: Any = Crashed(message="The worker stopped before the flow run was finished.")
        if kind == "RUNNING":
            api.set_flow_run_state(flow_run.id, crashed)
        return False
    accepted = False
    if executed or kind == "PENDING":
        waiting: Any = AwaitingRetry(message="The worker stopped before the flow run was finished.")
        result: Any = api.set_flow_run_state(flow_run.id, waiting)
        accepted = result.status.value == "ACCEPT"
    if accepted or kind == "SCHEDULED":
        reset_policy(api, flow_run.id, interrupted=executed)
    return accepted


def is_silence(message: str) -> bool:
    """Whether a flow run has crashed for its heartbeats: by the pool's automation, Prefect Cloud's, or that of Prefect's guide."""
    return "heartbeat" in message.lower() and not message.startswith("Execution was ")  # That would be a flow's exception.
