"""Flows that write down when they start and end, beside what Prefect says of them."""

import os
import time
from pathlib import Path

from prefect import flow, task
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import flow_run


def witness(evidence: str, what: str) -> None:
    with (Path(evidence) / str(flow_run.id)).open("a") as file:
        file.write(f"{what} {time.time():.3f} {os.getpid()}\n")


def begin(evidence: str, gate: str) -> None:
    """Waits for the gate, so that all runs of a fault are in flight when it happens."""
    witness(evidence, "start")
    while not (Path(evidence) / gate).exists():
        time.sleep(0.2)


def work(seconds: float, evidence: str, gate: str) -> None:
    """Works for some seconds, and cleans up where it is interrupted."""
    try:
        begin(evidence, gate)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.1)
    except BaseException:
        witness(evidence, "cleanup")
        raise
    witness(evidence, "end")


@flow(name="plain")
def plain(seconds: float, evidence: str, gate: str) -> None:
    work(seconds, evidence, gate)


@flow(name="spot")
def spot(seconds: float, evidence: str, gate: str) -> None:
    work(seconds, evidence, gate)


@flow(name="retrying", retries=2, retry_delay_seconds=1)
def retrying(seconds: float, evidence: str, gate: str) -> None:
    """Fails at first, so that Prefect tries it again in the process that it has."""
    if not (Path(evidence) / str(flow_run.id)).exists():
        witness(evidence, "first")
        raise RuntimeError("fails at first, as it should")
    work(seconds, evidence, gate)


@flow(name="patient", retries=2, retry_delay_seconds=1)
def patient(seconds: float, evidence: str, gate: str) -> None:
    work(seconds, evidence, gate)


@task
def step(number: int, seconds: float, evidence: str) -> int:
    time.sleep(seconds)
    witness(evidence, f"did:{number}")
    return number


@flow(name="stepwise")
def stepwise(seconds: float, evidence: str, gate: str) -> None:
    """Twenty tasks, of which ten are done before the gate."""
    witness(evidence, "start")
    try:
        for number in range(10):
            step(number, 0, evidence)
        while not (Path(evidence) / gate).exists():
            time.sleep(0.2)
        for number in range(10, 20):
            step(number, seconds / 10, evidence)
    except BaseException:
        witness(evidence, "cleanup")
        raise
    witness(evidence, "end")


@flow(name="forgetful")
def forgetful(seconds: float, evidence: str, gate: str) -> None:
    stepwise.fn(seconds, evidence, gate)


@flow(name="suspending")
def suspending(seconds: float, evidence: str, gate: str) -> None:
    witness(evidence, "before")
    suspend_flow_run(timeout=3600, key="approval")
    work(seconds, evidence, gate)


@flow(name="computing")
def computing(seconds: float, evidence: str, gate: str) -> None:
    """Never sleeps and never waits, so that nothing else in its process gets a turn by itself."""
    begin(evidence, gate)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(100_000))
    witness(evidence, "end")


@flow(name="sleeping")
def sleeping(seconds: float, evidence: str, gate: str) -> None:
    """Says nothing to the API for long."""
    begin(evidence, gate)
    time.sleep(seconds)
    witness(evidence, "end")
