"""Starts a part of the Prefect server: puts together what Prefect has no setting for, from the secrets that Amazon ECS hands over."""

import os
import sys
from urllib.parse import quote


def main(command: list[str]) -> None:
    """Becomes the command. Prefect compares the authentication string as ASCII, and answers 500 to everything where it isn't."""
    if not os.environ.get("PREFECT_SERVER_API_AUTH_STRING", "").isascii():
        sys.exit("The secret of authString holds characters that are not ASCII, with which the server answers every request with an error: give it others.")
    if "PREFECT_REDIS_MESSAGING_HOST" in os.environ:
        os.environ["PREFECT_SERVER_DOCKET_URL"] = docket_url()
    os.execvp(command[0], command)


def docket_url() -> str:
    """Where the background services keep their queue: docket takes a URL alone."""
    host, port = (os.environ[f"PREFECT_REDIS_MESSAGING_{name}"] for name in ("HOST", "PORT"))
    password = os.environ.get("PREFECT_REDIS_MESSAGING_PASSWORD")
    user = f":{quote(password, safe='')}@" if password else ""
    return f"rediss://{user}{host}:{port}/1"


main(sys.argv[1:])
