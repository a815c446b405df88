"""What keeps new tasks from starting, as a test wants it."""

import threading
from typing import Any

_lock = threading.Lock()
_current: dict[str, Any] | None = None


def hinder(hindrance: dict[str, Any] | None) -> None:
    """`how`: unplaced, refused, failed or unpulled; `reason`; which `capacityProvider`; how many `times`."""
    global _current
    with _lock:
        _current = dict(hindrance) if hindrance else None


def take(request: dict[str, Any], *hows: str) -> dict[str, Any] | None:
    """What hinders the task of this request, in one of these ways."""
    with _lock:
        found = _current
        if found is None or found["how"] not in hows or found.get("times") == 0:
            return None
        providers = [item["capacityProvider"] for item in request.get("capacityProviderStrategy") or []]
        if found.get("capacityProvider") not in (None, *providers):
            return None
        if "times" in found:
            found["times"] -= 1
        return dict(found)
