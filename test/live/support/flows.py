"""The flows that the live tests and the demo run."""

import os
import subprocess
import sys
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


@flow(name="talker")
def talker(seconds: int = 25) -> None:
    for second in range(seconds):
        get_run_logger().info("second %d of %d", second, seconds)
        time.sleep(1)


@flow(name="of all kinds")
def of_all_kinds(payload: str = "") -> None:
    """Sends the API what a web application firewall takes for an attack: long bodies, SQL, HTML, addresses, paths, exceptions."""
    from prefect.artifacts import create_markdown_artifact, create_table_artifact
    from prefect.variables import Variable

    logger = get_run_logger()
    for line in (
        "SELECT * FROM users WHERE name = '' OR 1=1; DROP TABLE users; --",
        "<script>alert('report')</script> <img src=x onerror=alert(1)>",
        "http://169.254.169.254/latest/meta-data/ http://10.1.2.3:8080/data.csv",
        "../../etc/passwd ${jndi:ldap://10.1.2.3/a} java.lang.Runtime",
    ):
        logger.info(line)
    for _ in range(400):
        logger.info("x" * 100)
    create_markdown_artifact(key="report", markdown="# Report\n" + "<b>line</b>\n" * 2000)
    create_table_artifact(key="rows", table=[{"sql": "SELECT 1 UNION SELECT 2", "path": "../../etc/hosts"}] * 200)
    Variable.set("settings_ini", "[section]\nurl=http://10.1.2.3/", overwrite=True)
    Variable.get("settings_ini")
    raise ValueError("a long exception " + "<div>" * 1000 + payload[:50])


@flow(name="glutton")
def glutton(mebibytes_a_second: int, in_processes: bool = False) -> None:
    """Takes memory until there is none: its own process, or ever more processes."""
    held: list[object] = []
    while True:
        if in_processes:
            held.append(subprocess.Popen([sys.executable, "-c", f"held = b'x' * ({mebibytes_a_second} << 20); import time; time.sleep(600)"]))
        else:
            held.append(b"x" * (mebibytes_a_second << 20))
        time.sleep(1)
