"""The flows that the live tests and the demo run."""

import os
import time
from pathlib import Path

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


@flow(name="look around")
def look_around() -> None:
    directory = Path(os.environ["DATA_DIRECTORY"])
    end = time.monotonic() + 30
    while not (directory / "agent").exists() and time.monotonic() < end:  # the sidecar has started, and writes it
        time.sleep(0.5)
    found = sorted(path.name for path in directory.iterdir())
    (directory / "flow").write_text("was here as well")
    # How long it is: the value has no business in a log.
    get_run_logger().info("Around: files %s, password of %d characters", found, len(os.environ["DB_PASSWORD"]))


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
