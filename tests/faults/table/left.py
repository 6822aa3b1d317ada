"""What a call left behind in the process."""

from __future__ import annotations

import gc
import os
import re
import threading
import time
import weakref
from collections import Counter
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from tracesplice_openai import sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["Before"]

FILES = "/proc/self/fd"
# Seconds, for what ends by itself: a server's side of a connection, a thread.
PATIENCE, SHORT = 30.0, 0.1
POOLS = ("ThreadPool", "litellm-logging")


class Before:
    """The process before a call.

    Args:
        pools: Whether threads of pools come and go.
    """

    def __init__(self, *, pools: bool = False) -> None:
        gc.freeze()  # what is there by now is not looked through after the call
        self._pools = pools
        self._marks = len(sdk.marks)
        self._context = _context()
        self._threads = self._names()
        self._files = _files()

    def left(
        self,
        references: Collection[tuple[str, weakref.ref[Any]]],
        idle: Callable[[], object],
        expected: Collection[str] | None = None,
    ) -> list[str]:
        """What there is now and was not before; what is not ``expected`` is waited for to go.

        A call that was made to see what to expect is given a short time.

        Args:
            references: What should be gone, by name.
            idle: Gives an event loop a chance to clear up.
            expected: What an unspliced call left.
        """
        deadline = time.monotonic() + (SHORT if expected is None else PATIENCE)
        while True:
            idle()
            found = self._found()
            found += [name for name, reference in references if reference() is not None]
            if time.monotonic() > deadline or not Counter(found) - Counter(expected or ()):
                return found
            time.sleep(0.005)

    def _found(self) -> list[str]:
        gc.collect()
        now = _context()
        changed = {name for name in now | self._context if now.get(name) != self._context.get(name)}
        found = [f"context {name}" for name in sorted(changed)]
        found += sorted((self._names() - self._threads).elements())
        found += ["file handle"] * (_files() - self._files)
        return found + ["spliced client"] * (len(sdk.marks) - self._marks)

    def _names(self) -> Counter[str]:
        names = [each.name for each in threading.enumerate()]
        # The server answers in a thread for each request; it ends with the connection.
        names = [name for name in names if "process_request_thread" not in name]
        kept = [name for name in names if not self._pools or not name.startswith(POOLS)]
        return Counter(f"thread {re.sub('[0-9]+', '', name)}" for name in kept)


def _context() -> dict[str, int]:
    # Two variables of one name do not matter: ours have names of their own.
    values = {variable.name: value for variable, value in copy_context().items()}
    return {name: id(value) for name, value in values.items() if not _is_nothing(value)}


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, weakref.ref) and value() is None)


def _files() -> int:
    return len(os.listdir(FILES)) if os.path.isdir(FILES) else 0
