"""Clients of a server, all at a time, as flow runs are: real ones of Prefect, with its own patience. They go on until the input ends.

`python server_load.py <clients> <seconds between the calls of each>` prints at its end, as JSON, what became of the calls.
"""

import asyncio
import json
import sys
import time

from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import LogCreate
from prefect.logging import get_logger
from prefect.states import Completed, Running
from prefect.types._datetime import now


@flow
def load() -> None:
    """Never executed: its runs are only spoken of."""


class Results:
    def __init__(self) -> None:
        self.calls = 0
        self.slowest = 0.0
        self.failed: list[str] = []
        self.runs: list[str] = []

    async def call(self, what: str, awaitable):
        start = time.monotonic()
        self.calls += 1
        try:
            return await awaitable
        except Exception as error:
            self.failed.append(f"{what}: {type(error).__name__}: {error}"[:300])
            return None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - start)


async def one_run(client: PrefectClient, results: Results, pause: float, stopped: asyncio.Event) -> None:
    run = await results.call("create", client.create_flow_run(load))
    if run is None:
        return
    for what, call in [
        ("running", lambda: client.set_flow_run_state(run.id, Running(), force=True)),
        ("logs", lambda: client.create_logs([LogCreate(name="load", level=20, message=f"line {i}", timestamp=now("UTC"), flow_run_id=run.id) for i in range(20)])),
        ("read", lambda: client.read_flow_run(run.id)),
        ("completed", lambda: client.set_flow_run_state(run.id, Completed(), force=True)),
    ]:
        await results.call(what, call())
        if not stopped.is_set():
            await asyncio.sleep(pause)
    results.runs.append(str(run.id))


async def client_loop(number: int, clients: int, results: Results, pause: float, stopped: asyncio.Event) -> None:
    await asyncio.sleep(pause * number / clients)
    async with get_client() as client:
        while not stopped.is_set():
            await one_run(client, results, pause, stopped)


async def main(clients: int, pause: float) -> None:
    get_logger("prefect").setLevel("ERROR")
    results, stopped = Results(), asyncio.Event()

    async def until_input_ends() -> None:
        await asyncio.to_thread(sys.stdin.read)
        stopped.set()

    await asyncio.gather(until_input_ends(), *(client_loop(number, clients, results, pause, stopped) for number in range(clients)))
    print(json.dumps({"calls": results.calls, "slowest": round(results.slowest, 1), "failed": results.failed, "runs": results.runs}))


asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
