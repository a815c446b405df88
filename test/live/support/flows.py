"""The flows that the live tests and the demo run."""

import os
import time

from prefect import flow, get_run_logger, task


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
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)
