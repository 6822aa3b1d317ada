"""Interrupts a call at a line of tracesplice's that runs in it, and sees what becomes of the next.

Ctrl-C may strike between any two lines. Other libraries' lines are theirs, with us or without.
"""

from __future__ import annotations

import linecache
import sys
from collections import Counter
from contextlib import suppress
from dis import findlinestarts
from typing import TYPE_CHECKING, Any

from faults.scripted import OK
from faults.table.acts import WHOLE, Call
from faults.table.left import Before
from faults.table.libraries import Setting
from faults.table.stage import is_linked, observed
from fuzz.state import sizes

if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterator
    from types import FrameType

    from faults.table.libraries import Library
    from faults.table.stage import Stage

__all__ = ["ROW", "Interrupted"]

ROW = {
    "interrupted anywhere": "The program is interrupted (`KeyboardInterrupt`) at any line of ours.",
}
"""What the row says, by its name."""
_OURS, _NOT = "tracesplice", ("tracesplice_testing", "tracesplice_view")
# Where an unspliced call is interrupted, to see what that leaves: before and after it is sent.
_UNSPLICED = ("_build_request", "_process_response")
_WARM = 3  # calls until all that is made once is made


class Lines:
    """A block in which the lines of ours are counted, and one of them is interrupted.

    Args:
        at: Which, from 0 on; none by default.
        function: A function of the SDK that is interrupted when it is called, instead.

    Attributes:
        count: How many lines there were.
        struck: Where it was interrupted.
    """

    def __init__(self, at: int | None = None, function: str | None = None) -> None:
        self.count, self.struck = 0, ""
        self._at, self._function = at, function

    def __enter__(self) -> None:
        self._before = sys.gettrace()
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _called(self, frame: FrameType, _event: str, _arg: object) -> Any:
        name = str(frame.f_globals.get("__name__"))
        if name.startswith(_OURS):
            return None if name.startswith(_NOT) else self._ran
        if frame.f_code.co_name == self._function:
            self._strike(frame)
        return None

    def _ran(self, frame: FrameType, event: str, _arg: object) -> Any:
        if event == "line" and not _leaves_block(frame):
            self.count += 1
            if self.count - 1 == self._at:
                self._strike(frame)
        return self._ran

    def _strike(self, frame: FrameType) -> None:
        code = frame.f_code
        self.struck = f"{frame.f_globals['__name__']}.{code.co_name}:{frame.f_lineno}"
        raise KeyboardInterrupt


def _leaves_block(frame: FrameType) -> bool:
    """Whether what leaves a ``with`` or ``try`` runs next: no signal strikes there, only a tracer.

    Python sees to that: https://github.com/python/cpython/issues/74174.
    """
    file, line = frame.f_code.co_filename, frame.f_lineno
    if linecache.getline(file, line - 1).strip() == "finally:":
        return True
    if not linecache.getline(file, line).lstrip().startswith(("with ", "async with ")):
        return False
    return frame.f_lasti > min(at for at, of in findlinestarts(frame.f_code) if of == line)


class Interrupted:
    """A spliced client that is called again and again.

    Args:
        stage: Where.
        library: Whose client.
        way: Of the calls.
    """

    def __init__(self, stage: Stage, library: Library, way: str) -> None:
        self._stage, self._library = stage, library
        setting = Setting(stage.gateway.url, http=stage.http)
        client = library.make(setting, way.startswith("async"))
        self._call = Call(library, client, way)
        self._made(Lines())
        self._expected = [each for name in _UNSPLICED for each in self._left_unspliced(name)]
        library.splice(client, setting)
        for _ in range(_WARM):
            self._answer = self._made(Lines())
        before, counted = self._sizes(), Lines()
        self._made(counted)
        self.count = counted.count
        self._grows = {name: size - before.get(name, 0) for name, size in self._sizes().items()}

    def _left_unspliced(self, function: str) -> list[str]:
        """What an unspliced call leaves that is interrupted in the SDK."""
        references: list[tuple[str, weakref.ref[Any]]] = []
        before, lines = Before(pools=self._library.pools), Lines(function=function)
        with suppress(KeyboardInterrupt):
            self._made(lines, references)
        assert lines.struck, function
        return before.left(references, self._stage.idle)

    def close(self) -> None:
        """Make no more calls."""
        self._library.unsplice(self._call.client)

    def wrong(self, at: int) -> Iterator[str]:
        """Interrupt a call at a line, and make another; say what is wrong.

        Args:
            at: Which line of those that run, less than ``count``.
        """
        lines = Lines(at)
        found = [*self._left(lines), *self._next()]
        if lines.struck:  # else fewer lines ran this time
            yield from (f"line {at}, {lines.struck}: {each}" for each in found)

    def _left(self, lines: Lines) -> Iterator[str]:
        """Interrupt a call; say how it ended, if otherwise, and what it left."""
        references: list[tuple[str, weakref.ref[Any]]] = []
        before, kept = Before(pools=self._library.pools), self._sizes()
        try:
            self._made(lines, references)
            yield "it is answered"
        except KeyboardInterrupt:
            pass
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is wrong)
            yield f"it raises {error!r}"
        left = before.left(references, self._stage.idle, self._expected)
        yield from (f"left {each}" for each in Counter(left) - Counter(self._expected))
        for name, size in self._sizes().items():
            if size - kept.get(name, 0) > max(self._grows.get(name, 0), 0):
                yield f"{name} grows"

    def _next(self) -> Iterator[str]:
        """Make a call as any other."""
        answer = self._made(Lines())
        if answer != self._answer:
            yield f"then {answer}"
        if [is_linked(each) for each in self._stage.gateway.seen] != [True]:
            yield "the next call is not linked"

    def _made(self, lines: Lines, references: list[tuple[str, Any]] | None = None) -> object:
        self._stage.gateway.script([OK])
        with (
            self._stage.traced() as langfuse,
            observed(langfuse, [] if references is None else references),
            lines,
        ):
            return self._stage.made(self._call, WHOLE)

    def _sizes(self) -> dict[str, int]:
        self._stage.langfuses.working.flush()
        return sizes()
