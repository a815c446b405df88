"""The supervisor with a worker that does as the test says, and a note in place of the Prefect API."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

spec = importlib.util.spec_from_file_location("supervisor", os.environ["SUPERVISOR"])
supervisor = importlib.util.module_from_spec(spec)
spec.loader.exec_module(supervisor)
for name, value in json.loads(os.environ["CONSTANTS"]).items():
    setattr(supervisor, name, value)


def run_worker(arguments, journal):
    def begin(run):
        os.write(journal, f"+{run}\n".encode())

    def end(run):
        os.write(journal, f"-{run}\n".encode())

    def spawn(run):
        """A process of a flow run, in a session of its own as Prefect starts them."""
        process = subprocess.Popen(["sleep", "60"], env={**os.environ, "PREFECT__FLOW_RUN_ID": run}, start_new_session=True)
        print("process", process.pid, flush=True)

    def on(number, action):
        signal.signal(number, lambda *_: action())

    print("worker", os.getpid(), *arguments, flush=True)
    exec(os.environ["WORKER"], {"begin": begin, "end": end, "spawn": spawn, "on": on, "signal": signal, "sys": sys, "os": os, "time": time})


supervisor.run_worker = run_worker
supervisor.reschedule = lambda runs, worker: print("rescheduled", *sorted(runs), flush=True)
sys.exit(supervisor.Supervisor(sys.argv[1:]).run())
