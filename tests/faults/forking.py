"""A program that forks while its threads splice, call and note answers: run by test_fork.py.

Each child makes one call of its own. One that hangs says where, and ends; the program says how many
failed.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
from itertools import count
from typing import Any

import openai
from opentelemetry import trace

import tracesplice
from faults.compare import chat
from faults.scripted import ANSWER
from tracesplice._calls import calls

FORKS, THREADS, DEADLINE = 60, 3, 60
HTTP: Any = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]
ids = count(1)


class Caller:
    """A client of a gateway that is a function, without a socket.

    Its resources are made before anybody forks: on Python 3.10 and 3.11 the SDK makes them under a
    lock of ``functools.cached_property``, which a fork may leave locked with or without us.
    """

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        transport = HTTP.MockTransport(self._answer)
        http_client = HTTP.Client(transport=transport)
        self.client = openai.OpenAI(base_url="http://gw", api_key="k", http_client=http_client)
        chat(self.client)

    def _answer(self, request: Any) -> Any:
        self.sent = [request.content]
        return HTTP.Response(200, json=ANSWER, headers={"x-tracesplice-reports": "true"})

    def call(self) -> bool:
        """Splice, make a call in a span, unsplice; say whether it was linked and counted."""
        tracesplice.splice(self.client)
        number = next(ids)
        context = trace.SpanContext(number, number, False, trace.TraceFlags(1))
        with trace.use_span(trace.NonRecordingSpan(context)):
            chat(self.client)
        place = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
        known = calls.find(place)
        calls.note_exported([place])
        tracesplice.unsplice(self.client)
        return b"existing_trace_id" in self.sent[0] and known is not None and known.reported


def child(caller: Caller) -> None:
    """Make a call in a child; its exit status says how it went."""
    status = 1
    try:
        faulthandler.dump_traceback_later(DEADLINE, exit=True)
        status = 0 if caller.call() else 2
    finally:
        os._exit(status)


def main() -> None:
    """Fork again and again while threads are busy."""
    tracesplice.count_usage_once()  # else nothing is noted of calls
    stop = threading.Event()
    own, *others = [Caller() for _ in range(THREADS + 1)]
    own.call()  # Python's own import locks are left locked, too

    def busy(caller: Caller) -> None:
        while not stop.is_set():
            caller.call()

    threads = [threading.Thread(target=busy, args=(each,)) for each in others]
    for thread in threads:
        thread.start()
    failed: list[int] = []
    try:
        for _ in range(FORKS):
            pid = os.fork()
            if pid == 0:
                child(own)
            _, status = os.waitpid(pid, 0)
            if status:
                failed.append(status)
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print(json.dumps(failed))


if __name__ == "__main__":
    main()
