"""A program that makes calls where processes begin or end: run by ``test_processes.py``.

``python -m faults.table.process ROW LIBRARY URL [spliced]`` says in a line of JSON how a call ended
in this process, and how one ended in another, or in what is left of this one.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import sys
import threading
from typing import Any

from opentelemetry import trace

from faults.table.acts import WHOLE, Call
from faults.table.described import described
from faults.table.libraries import LIBRARIES, Setting

__all__ = ["ENDS", "STARTS"]

STARTS = {
    "fork": "The process has forked, the client in it.",
    "forkserver": "The call is made in a process of a fork server.",
    "spawn": "The call is made in a process that was spawned.",
}
ENDS = {
    "exit": "The interpreter shuts down while a thread is in a call.",
}
_PLACE = trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(1))


def client_of(name: str, url: str, *, spliced: bool) -> Call:
    library = next(each for each in LIBRARIES if each.name == name)
    importlib.import_module(library.module)
    setting = Setting(url)
    client = library.make(setting, False)
    if spliced:
        library.splice(client, setting)
    return Call(library, client, "sync")


def ended(call: Call) -> object:
    with trace.use_span(trace.NonRecordingSpan(_PLACE)):
        try:
            return WHOLE.sync(call)
        except Exception as error:  # noqa: BLE001  (whatever it is, it must be the same)
            return described(error)


def in_child(name: str, url: str, pipe: Any, call: Call | None = None) -> None:
    pipe.send(ended(call or client_of(name, url, spliced=True)))
    pipe.close()


def start(row: str, name: str, url: str) -> None:
    here = ended(client_of(name, url, spliced=False))
    context: Any = multiprocessing.get_context(row)
    ours, theirs = context.Pipe(duplex=False)
    call = client_of(name, url, spliced=True) if row == "fork" else None
    if call is not None:
        ended(call)
    child = context.Process(target=in_child, args=(name, url, theirs, call))
    child.start()
    print(json.dumps([here, ours.recv() if ours.poll(60) else "nothing"]))
    child.join()


def end(name: str, url: str, *, spliced: bool) -> None:
    call = client_of(name, url, spliced=spliced)
    threading.Thread(target=ended, args=(call,), daemon=True).start()
    sys.stdin.readline()  # until the request has arrived


if __name__ == "__main__":
    row, name, url, *more = sys.argv[1:]
    if row in STARTS:
        start(row, name, url)
    else:
        end(name, url, spliced=bool(more))
    sys.stdout.flush()
