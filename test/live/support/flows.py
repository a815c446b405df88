"""The flows that the live tests and the demo run."""

import os
import time

from prefect import flow, get_run_logger, runtime, task


@task
def greet(name: str) -> str:
    return f"Hello from {name}"


@flow(name="hello")
def hello(name: str = "Fargate") -> str:
    logger = get_run_logger()
    greeting = greet(name)
    logger.info("%s, in process %s", greeting, os.getpid())
    print(f"stdout of {name}")
    return greeting


@flow(name="sleeper")
def sleeper(seconds: float = 60) -> None:
    sleep(seconds)


def sleep(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)


@flow(name="retried", retries=1)
def retried(seconds: float = 60) -> None:
    """Is there to be interrupted when it runs for the first time, fails by itself the second time, and completes the third."""
    attempt = runtime.flow_run.run_count
    if attempt == 1:
        sleep(seconds)
    if attempt == 2:
        raise RuntimeError("the flow's first own failure")
