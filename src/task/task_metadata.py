"""What Amazon ECS tells a container of its task."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

#: What the task is told at its own link-local addresses, no proxy of HTTP_PROXY can ask for it. Nor does that take certificates, which
#: Python's usual opener loads.
DIRECT = urllib.request.OpenerDirector()
for handler in (urllib.request.HTTPHandler(), urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler()):
    DIRECT.add_handler(handler)


def metadata(path: str = "") -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html"""
    try:
        with DIRECT.open(f"{os.environ['ECS_CONTAINER_METADATA_URI_V4']}{path}", timeout=5) as answer:
            return dict(json.load(answer))
    except (KeyError, OSError, ValueError):
        return {}


def this_task() -> str | None:
    return metadata("/task").get("TaskARN")
