"""One container of a task as a local process: start, health check, log, stop."""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable

from moto.logs.models import logs_backends

import settings
from memory_limits import MemoryLimit
from settings import scaled

_PROGRAM_PATH = os.environ["PATH"]
#: Compressed, these still leave a program as long as it takes to start on a busy machine.
_LEAST_HEALTH_TIMEOUT = 5.0
_LEAST_START_PERIOD = 30.0
_MISSING_PROGRAM = 127
_KILLED = 137

_starting = threading.Lock()
_closed = False


def close() -> None:
    """No container starts any more."""
    global _closed
    with _starting:
        _closed = True


class StartFailure(Exception):
    """The container could not be started; the text is what ECS would give as the reason."""


class Container:
    def __init__(self, task_arn: str, region: str, definition: dict[str, Any], directory: Path, memory: MemoryLimit, changed: Callable[[], None]) -> None:
        self.name: str = definition["name"]
        self.definition = definition
        self.essential: bool = definition.get("essential", True)
        self.status = "PENDING"
        self.exit_code: int | None = None
        self.reason: str | None = None
        self.health = "UNKNOWN"
        self.runtime_id = settings.random_id(32)
        self._task_id = task_arn.rsplit("/", 1)[-1]
        self._region = region
        self._directory = directory
        self._memory = memory
        self._changed = changed
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}
        self._mounts: dict[str, Path] = {}
        self._stop_asked = threading.Event()

    @property
    def has_health_check(self) -> bool:
        check = self.definition.get("healthCheck")
        return bool(check) and check.get("command", ["NONE"])[0] != "NONE"

    @property
    def stopped(self) -> bool:
        return self.status == "STOPPED"

    def start(self, environment: dict[str, str], mounts: dict[str, Path]) -> None:
        command = [*(self.definition.get("entryPoint") or []), *(self.definition.get("command") or [])]
        if not command:
            self._fail(f"the image is not run here, so container {self.name} needs `command` in its task definition")
        self._mounts = mounts
        self._directory.mkdir(parents=True, exist_ok=True)
        self._environment = {
            "PATH": self._program_path,
            "LANG": "C.UTF-8",
            **{name: in_mounts(value, mounts) for name, value in environment.items()},
            "HOME": str(self._directory),
            "TMPDIR": str(self._directory),
            settings.OWNER_VARIABLE: self._owner,
        }
        shipper = self._log_shipper()
        try:
            self._process = self._spawn(command)
        except OSError as error:
            self._fail(f'CannotStartContainerError: exec: "{command[0]}": {error.strerror or error} ({shlex.join(command)})')
        self.status = "RUNNING"
        threading.Thread(target=self._follow, args=(shipper,), daemon=True).start()
        if self.has_health_check:
            threading.Thread(target=self._check_health, daemon=True).start()

    @property
    def _program_path(self) -> str:
        image = settings.IMAGES.get(self.definition.get("image") or "", {})
        return os.pathsep.join([*image.get("path", []), *([] if image.get("nothingElse") else [_PROGRAM_PATH])])

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with _starting:
            if _closed:
                raise OSError("the stand-in is stopping")
            process = subprocess.Popen(
                [in_mounts(part, self._mounts) for part in command],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._memory.hold(process.pid)
            return process

    def stop(self) -> None:
        """SIGTERM to the container's first process, SIGKILL after its `stopTimeout`."""
        process = self._process
        if process is None:
            self.status = "STOPPED"
            return
        self._stop_asked.set()
        if process.poll() is None:
            process.terminate()

    def wait_stopped(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            process.wait(scaled(float(self.definition.get("stopTimeout") or 30)))
        except subprocess.TimeoutExpired:
            self.kill()
        while not self.stopped:
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            _signal_group(self._process.pid, signal.SIGKILL)

    @property
    def _owner(self) -> str:
        return f"{settings.DIRECTORY}:{self._task_id}:{self.name}"

    def _fail(self, reason: str) -> None:
        self.status = "STOPPED"
        self.exit_code = _MISSING_PROGRAM
        self.reason = reason
        raise StartFailure(reason)

    def _follow(self, ship: Callable[[bytes], None]) -> None:
        process = self._process
        assert process is not None and process.stdout is not None
        output = threading.Thread(target=self._read_output, args=(process.stdout.fileno(), ship), daemon=True)
        output.start()
        code = process.wait()
        # A container ends with its first process; whatever that left behind ends too.
        _signal_group(process.pid, signal.SIGKILL)
        kill_owned(self._owner)
        output.join(timeout=5)
        self.exit_code = code if code >= 0 else 128 - code
        if self.exit_code == _KILLED and self._memory.kills:
            self.reason = "OutOfMemoryError: Container killed due to memory usage"
        self.status = "STOPPED"
        self._changed()

    @staticmethod
    def _read_output(descriptor: int, ship: Callable[[bytes], None]) -> None:
        rest = b""
        while True:
            chunk = os.read(descriptor, 65536)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                ship(b"\n".join(lines) + b"\n")
        if rest:
            ship(rest)

    def _log_shipper(self) -> Callable[[bytes], None]:
        file = (self._directory.parent / f"{self.name}.log").open("ab", buffering=0)
        configuration = self.definition.get("logConfiguration") or {}
        if configuration.get("logDriver") != "awslogs":
            return file.write  # type: ignore[return-value]
        options = configuration.get("options") or {}
        group = options.get("awslogs-group", "")
        stream = "/".join([options["awslogs-stream-prefix"], self.name, self._task_id]) if options.get("awslogs-stream-prefix") else self._task_id
        backend = logs_backends[settings.ACCOUNT][options.get("awslogs-region", self._region)]
        if options.get("awslogs-create-group") == "true":
            backend.ensure_log_group(group)
        try:
            backend.create_log_stream(group, stream)
        except Exception as error:  # noqa: BLE001
            self._fail(f"ResourceInitializationError: failed to validate logger args: log group {group}: {error}")

        def ship(lines: bytes) -> None:
            file.write(lines)
            moment = int(time.time() * 1000)
            events = [{"timestamp": moment, "message": line} for line in lines.decode("utf-8", "replace").splitlines() if line]
            if events:
                backend.put_log_events(group, stream, events)

        return ship

    def _check_health(self) -> None:
        check = self.definition["healthCheck"]
        kind, *arguments = check["command"]
        command = ["/bin/sh", "-c", " ".join(arguments)] if kind == "CMD-SHELL" else arguments if kind == "CMD" else [kind, *arguments]
        interval = scaled(float(check.get("interval") or 30))
        timeout = _compressed(float(check.get("timeout") or 5), _LEAST_HEALTH_TIMEOUT)
        grace_until = time.monotonic() + _compressed(float(check.get("startPeriod") or 0), _LEAST_START_PERIOD)
        failures = 0
        while not self._stop_asked.wait(interval) and not self.stopped:
            if self._probe(command, timeout):
                failures = 0
                self._set_health("HEALTHY")
            elif time.monotonic() >= grace_until or self.health == "HEALTHY":
                failures += 1
                if failures >= int(check.get("retries") or 3):
                    self._set_health("UNHEALTHY")

    def _probe(self, command: list[str], timeout: float) -> bool:
        try:
            probe = subprocess.Popen(
                command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return False
        try:
            return probe.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            _signal_group(probe.pid, signal.SIGKILL)
            probe.wait()

    def _set_health(self, health: str) -> None:
        if health != self.health:
            self.health = health
            self._changed()


def _compressed(seconds: float, least: float) -> float:
    return max(scaled(seconds), min(seconds, least))


def in_mounts(value: str, mounts: dict[str, Path]) -> str:
    """Container paths of the task's volumes become the directories that stand for them."""
    if not mounts:
        return value
    # At one go: the directories are themselves below a path that may be a mount, such as /tmp.
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({paths})(?=$|[/\s:;,\"'])", lambda match: str(mounts[match[1]]), value)


def kill_owned(owner: str) -> None:
    """Ends what left its process group (a daemon, a `setsid`). Only Linux shows another process's environment."""
    marker = f"{settings.OWNER_VARIABLE}={owner}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = entry.read_bytes().split(b"\0")
            if any(variable == marker or variable.startswith(marker + b":") for variable in variables):
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except OSError:
            continue


def _signal_group(process_id: int, number: signal.Signals) -> None:
    try:
        os.killpg(process_id, number)
    except (ProcessLookupError, PermissionError):
        pass
