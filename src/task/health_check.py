"""Whether the worker's container is healthy: exit code 0 if so.

`python -c <this file>`, with nothing but Python's library.

Prefect's health server answers 503 once the worker has not polled for 30 intervals. That is a reason to replace the
task when its event loop is stuck. It is none while the API can't be reached: another worker could do no better, and
the flow runs in this one would be interrupted.
"""

import base64
import contextlib
import http.client
import json
import os
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 4
INTERVAL_SECONDS = float(os.environ.get("PREFECT_WORKER_QUERY_SECONDS", "10"))
#: The worker's longest pause between two attempts, eight intervals and a third more, and then some.
PAUSE_SECONDS = 15 * INTERVAL_SECONDS
#: Longer than that, and another worker may find a way to the API that this one doesn't have.
PATIENCE_SECONDS = 180 * INTERVAL_SECONDS
#: Holds since when the worker has not polled. Its time is the last one when that was the API's fault.
NOT_POLLING = os.path.join(tempfile.gettempdir(), "prefect-worker-not-polling")
#: The worker is in this container, where no proxy of HTTP_PROXY can ask it; the API is asked over the proxy, as the worker does.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def polling() -> bool:
    """What the worker says of itself. No answer at all is an error: its process hangs."""
    try:
        DIRECT.open(f"http://127.0.0.1:{os.environ['PREFECT_WORKER_WEBSERVER_PORT']}/health", timeout=TIMEOUT_SECONDS).close()
        return True
    except urllib.error.HTTPError:
        return False


def credentials() -> dict[str, str]:
    """As the worker's own, so that it is the API that answers, and not a proxy that asks who this is."""
    headers: dict[str, str] = json.loads(os.environ.get("PREFECT_CLIENT_CUSTOM_HEADERS") or "{}")
    if key := os.environ.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    if auth := os.environ.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = f"Basic {base64.b64encode(auth.encode()).decode()}"
    return headers


def api_answers() -> bool:
    """Any answer will do that is not a server's or a gateway's error."""
    context = ssl.create_default_context(cafile=os.environ.get("PREFECT_API_SSL_CERT_FILE"))
    request = urllib.request.Request(f"{os.environ['PREFECT_API_URL']}/health", headers=credentials())
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=context).close()
        return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, http.client.HTTPException):
        return False


def healthy() -> bool:
    if polling():
        with contextlib.suppress(FileNotFoundError):
            os.remove(NOT_POLLING)
        return True
    if not os.path.exists(NOT_POLLING):
        with open(NOT_POLLING, "w") as file:
            file.write(str(time.time()))
    elif not api_answers():
        os.utime(NOT_POLLING)
    with open(NOT_POLLING) as file:
        since = float(file.read())
    return time.time() < min(os.path.getmtime(NOT_POLLING) + PAUSE_SECONDS, since + PATIENCE_SECONDS)


if __name__ == "__main__":
    sys.exit(0 if healthy() else 1)
