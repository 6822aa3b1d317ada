"""What the server's thread and the tests share, under one lock."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._store import Project


class State:
    """The projects by public key, and how often each endpoint was called."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.projects: dict[str, Project] = {}
        self.requests: Counter[str] = Counter()

    @contextmanager
    def request(self) -> Iterator[list[str]]:
        """Holds the lock for one request; what is put into the list is counted, waiters woken."""
        names: list[str] = []
        with self.changed:
            try:
                yield names
            finally:
                self.requests.update(names)
                self.changed.notify_all()
