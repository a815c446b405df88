"""Keeps Amazon ECS from scaling in a worker that is busy."""

from __future__ import annotations

import json
import math
import os
import time
import urllib.request
from typing import Any

from supervision import say
from task_metadata import DIRECT

#: How long the task is protected at a stretch, and so how long a deployment waits for a worker that is always busy.
PROTECTION_MINUTES = int(os.environ.get("WORKER_PROTECTION_MINUTES", "30"))
PAUSE_SECONDS = 60.0  #: How long it is not, before the next stretch.
LINGER_SECONDS = 10.0  #: How long an idle worker stays protected, so that short runs don't turn protection on and off.


class Protection:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html"""

    def __init__(self) -> None:
        agent = os.environ.get("ECS_AGENT_URI")
        self._url = f"{agent}/task-protection/v1/state" if agent else None
        self._busy = self._until = self._not_before = -math.inf
        if not agent:
            say("warning: without ECS_AGENT_URI nothing keeps ECS from scaling a busy worker in")

    def update(self, busy: bool) -> None:
        now = time.monotonic()
        self._busy = now if busy else self._busy
        if not self._url or now < self._not_before:
            return
        if busy and now >= self._until + PAUSE_SECONDS:
            self._put({"ProtectionEnabled": True, "ExpiresInMinutes": PROTECTION_MINUTES}, now + PROTECTION_MINUTES * 60)
        elif now < self._until and now >= self._busy + LINGER_SECONDS:
            self._put({"ProtectionEnabled": False}, -math.inf)

    def _put(self, body: dict[str, Any], until: float) -> None:
        request = urllib.request.Request(str(self._url), json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
        try:
            with DIRECT.open(request, timeout=5) as response:
                answer = json.load(response)
        except (OSError, ValueError) as error:
            answer = {"error": f"{error} {error.read() if hasattr(error, 'read') else ''}"}
        if "protection" in answer:
            self._until = until
        else:  # ECS itself refuses with status 200
            say(f"warning: ECS did not take {json.dumps(body)}: {answer}")
            self._not_before = time.monotonic() + LINGER_SECONDS
