"""What the workers on the picture of the dashboard have to do."""

import time

from prefect import flow, get_run_logger


@flow(name="orders")
def orders(seconds: float) -> None:
    get_run_logger().info("Loading the orders of the last hour")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.5)


@flow(name="ledger")
def ledger() -> None:
    raise ValueError("The ledger has an order that the warehouse doesn't know.")
