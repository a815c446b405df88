"""What the stand-in was started with, and the few values that every part of it needs."""

import json
import os
import secrets
from datetime import datetime, timezone
from pathlib import Path

ACCOUNT = "123456789012"
DEFAULT_REGION = os.environ.get("AWS_REGION", "us-east-1")
TIME_SCALE = float(os.environ.get("STAND_IN_TIME_SCALE", "1"))
DIRECTORY = Path(os.environ["STAND_IN_DIRECTORY"])
NODE_MODULES = os.environ.get("STAND_IN_NODE_MODULES", "")
#: What images hold, by name: see `ImageContent` in stand-in.ts.
IMAGES: dict[str, dict] = json.loads(os.environ.get("STAND_IN_IMAGES", "{}"))
#: Ports on this machine that stand for public hosts, by the host's name.
HOSTS: dict[str, int] = json.loads(os.environ.get("STAND_IN_HOSTS", "{}"))
#: Every process that runs for a task or a function carries this variable, so that none is left behind.
OWNER_VARIABLE = "STAND_IN_OWNER"

_port = 0


def listen_on(port: int) -> None:
    global _port
    _port = port


def endpoint() -> str:
    return f"http://127.0.0.1:{_port}"


def scaled(seconds: float) -> float:
    """Real seconds for a time that AWS counts: `STAND_IN_TIME_SCALE=10` makes it pass ten times as fast."""
    return seconds / TIME_SCALE


def now() -> datetime:
    return datetime.now(timezone.utc)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def random_id(length: int = 32) -> str:
    return secrets.token_hex((length + 1) // 2)[:length]
