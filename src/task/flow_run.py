"""Runs `prefect flow-run execute`, and gives an interrupted flow run back to Prefect once it has stopped.

Prefect itself does the latter first: while its API is slow, the flow goes on, and another task may execute it as well.
"""

import sys

# As for `prefect` itself: a file in the working directory doesn't stand in for a module.
sys.path[:] = [path for path in sys.path if path]

import contextlib
import os
import re
import signal
import subprocess
from importlib.metadata import version

BEHAVIOR = "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"
#: How long that may take. Prefect gives the flow 30 seconds to clean up before, and Fargate 120 for everything.
HAND_BACK_SECONDS = int(os.environ.get("FLOW_RUN_HAND_BACK_SECONDS", "60"))


def can_leave_it_to_us():
    """Whether this version of Prefect knows how to stop a flow run and not change its state."""
    with contextlib.suppress(Exception):
        return [int(part) for part in re.findall(r"\d+", version("prefect"))[:3]] >= [3, 8, 1]
    return False


def execute():
    environment = dict(os.environ)
    ours = environment.get(BEHAVIOR) == "reschedule" and can_leave_it_to_us()
    if ours:
        environment[BEHAVIOR] = "relinquish"
    execution = subprocess.Popen(["prefect", "flow-run", "execute"], env=environment)
    interrupted = []

    def interrupt(*_):
        interrupted.append(True)
        execution.terminate()

    signal.signal(signal.SIGTERM, interrupt)
    code = execution.wait()
    if ours and interrupted:
        hand_back(environment["PREFECT__FLOW_RUN_ID"])
        return 0  # anything else counts as a crash
    return code if code >= 0 else 128 - code


def hand_back(run):
    def give_up(*_):
        print(f"Flow run {run} was interrupted, and the Prefect API did not take it back; the rescue function will.", flush=True)
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HAND_BACK_SECONDS)
    from prefect.client.orchestration import get_client
    from prefect.states import AwaitingRetry

    try:
        with get_client(sync_client=True) as api:
            # One that has ended, was cancelled or waits for someone is left as it is.
            if api.read_flow_run(run).state.type.value in ("RUNNING", "PENDING"):
                api.set_flow_run_state(run, AwaitingRetry(message="Its task was interrupted before it was finished."))
    except Exception as error:
        print(repr(error), flush=True)
        give_up()


if __name__ == "__main__":
    sys.exit(execute())
