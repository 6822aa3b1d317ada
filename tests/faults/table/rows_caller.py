"""Rows: what a caller may do."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tracesplice
from faults.scripted import Reply
from faults.table import acts
from faults.table.stage import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.table.acts import Call
    from faults.table.libraries import Setting
    from faults.table.stage import Stage

__all__ = ["ROWS"]

STREAMS = ("stream", "async stream")
ASYNC = ("async", "async stream")


def interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@contextmanager
def interruptible(stage: Stage) -> Iterator[Any]:
    """As Python starts in the foreground; in the background, a shell has it ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stage.traced() as langfuse:
            yield langfuse
    finally:
        signal.signal(signal.SIGINT, before)


def meanwhile(flip: Callable[[Call, Setting], object]) -> Callable[[Call, Setting], Any]:
    """A block in which another thread does something again and again."""

    @contextmanager
    def block(call: Call, setting: Setting) -> Iterator[None]:
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set():
                flip(call, setting)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    return block


def splicing(call: Call, setting: Setting) -> None:
    call.library.unsplice(call.client)
    call.library.splice(call.client, setting)


def instrumenting(_: Call, setting: Setting) -> None:
    tracesplice.instrument(gateway=setting.url)
    tracesplice.uninstrument()


ROWS = {
    "cancelled": Fault(
        "The call is cancelled, at every `await` in turn.",
        act=acts.AT_EVERY_AWAIT,
        ways=ASYNC,
        counted=False,
    ),
    "out of time": Fault(
        "The caller waits no longer (`asyncio.wait_for`).",
        lambda _: [Reply(held=True)],
        act=acts.OUT_OF_TIME,
        ways=ASYNC,
    ),
    "interrupted": Fault(
        "The program is interrupted (`KeyboardInterrupt`) while the gateway is at work.",
        lambda _: [Reply(held=True, before=interrupt)],
        around=interruptible,
    ),
    "closed": Fault("A stream is closed after its first item.", act=acts.CLOSED, ways=STREAMS),
    "dropped": Fault("A stream is half read and forgotten.", act=acts.DROPPED, ways=STREAMS),
    "not read": Fault("A stream is never read.", act=acts.NOT_READ, ways=STREAMS),
    "collected": Fault(
        "A stream that is half read is garbage-collected in another thread.",
        act=acts.COLLECTED_ELSEWHERE,
        ways=STREAMS,
    ),
    "splicing": Fault(
        "Another thread splices and unsplices the client all the time.",
        act=acts.MANY,
        meanwhile=meanwhile(splicing),
        linked=None,
    ),
    "instrumenting": Fault(
        "Another thread calls `instrument` and `uninstrument` all the time.",
        act=acts.MANY,
        meanwhile=meanwhile(instrumenting),
        linked=None,
    ),
}
