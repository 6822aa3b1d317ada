"""A program that makes calls where processes begin or end: run by ``test_processes.py``.

``python -m faults.table.process ROW LIBRARY URL [spliced]`` says in a line of JSON how a call ended
in this process, and how one ended in another, or in what is left of this one.
"""

from __future__ import annotations

import atexit
import importlib
import json
import multiprocessing
import os
import sys
import threading
from typing import Any

from opentelemetry import trace

from faults.table.acts import WHOLE, Call
from faults.table.described import described
from faults.table.langfuses import Langfuses
from faults.table.libraries import LIBRARIES, Setting
from rig.patience import PATIENCE

__all__ = ["AT_EXIT", "ENDS", "STARTS", "client_of", "ended", "outcome"]

STARTS = {
    "fork": "The process has forked, the client in it.",
    "forkserver": "The call is made in a process of a fork server.",
    "spawn": "The call is made in a process that was spawned.",
}
ENDS = {
    "exit": "The interpreter shuts down while a thread is in a call.",
}
AT_EXIT = {
    "atexit": "Handlers of `atexit` make calls, before and after Langfuse's own.",
    "thread at exit": "A thread makes a call when the main thread has ended.",
}
_PLACE = trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(1))


def client_of(name: str, url: str, *, spliced: bool) -> Call:
    library = next(each for each in LIBRARIES if each.name == name)
    importlib.import_module(library.module)
    setting = Setting(url, timeout=100)
    client = library.make(setting, False)
    if spliced:
        library.splice(client, setting)
    return Call(library, client, "sync")


def outcome(call: Call) -> object:
    try:
        return WHOLE.sync(call)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must be the same)
        return described(error)


def ended(call: Call) -> object:
    with trace.use_span(trace.NonRecordingSpan(_PLACE)):
        return outcome(call)


def in_child(name: str, url: str, pipe: Any, call: Call | None = None) -> None:
    pipe.send(ended(call or client_of(name, url, spliced=True)))
    pipe.close()
    if call and call.library.pools:
        os._exit(0)  # LiteLLM's pool, used before a fork, may never end after it, spliced or not


def start(row: str, name: str, url: str) -> None:
    here = ended(client_of(name, url, spliced=False))
    context: Any = multiprocessing.get_context(row)
    ours, theirs = context.Pipe(duplex=False)
    call = client_of(name, url, spliced=True) if row == "fork" else None
    if call is not None:
        ended(call)
    child = context.Process(target=in_child, args=(name, url, theirs, call))
    child.start()
    print(json.dumps([here, ours.recv() if ours.poll(PATIENCE) else "nothing"]))
    child.join()


def end(name: str, url: str, *, spliced: bool) -> None:
    call = client_of(name, url, spliced=spliced)
    threading.Thread(target=ended, args=(call,), daemon=True).start()
    sys.stdin.readline()  # until the request has arrived


def at_exit(row: str, name: str, url: str, *, spliced: bool) -> None:
    call = client_of(name, url, spliced=spliced)

    def say() -> None:
        with langfuse.start_as_current_observation(name="s", as_type="generation", model="m"):
            print(json.dumps(outcome(call)), flush=True)

    def say_then() -> None:
        threading.main_thread().join()
        say()

    if row == "atexit":
        atexit.register(say)  # the last one is called first
    langfuse = Langfuses().working
    if row == "atexit":
        atexit.register(say)
    else:
        threading.Thread(target=say_then).start()


if __name__ == "__main__":
    row, name, url, *more = sys.argv[1:]
    if row in STARTS:
        start(row, name, url)
    elif row in AT_EXIT:
        at_exit(row, name, url, spliced=bool(more))
    else:
        end(name, url, spliced=bool(more))
    sys.stdout.flush()
