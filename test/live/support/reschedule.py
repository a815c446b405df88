"""Calls the supervisor's reschedule() for the flow runs that are named: <supervisor.py> <worker> <flow run>..."""

import importlib.util
import sys

spec = importlib.util.spec_from_file_location("supervisor", sys.argv[1])
supervisor = importlib.util.module_from_spec(spec)
spec.loader.exec_module(supervisor)
supervisor.reschedule(set(sys.argv[3:]), sys.argv[2])
