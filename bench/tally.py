"""Counts what runs of tracesplice's own code: for `counts.py`, and inside a gateway.

Only the standard library is imported here: a gateway has an environment of its own.
"""

from __future__ import annotations

import gc
import inspect
import sys
import threading
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

__all__ = ["Tally", "all_events", "bytecodes"]

_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>")  # calls before Python 3.12 only
_RESUMED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@dataclass
class Tally:
    """Counts the calls of functions in packages named `tracesplice*`, in every thread.

    A generator or coroutine counts once, however often it is resumed. A jump is a call of ours in
    another module than the call of ours before it, in the order in which they are made.

    Attributes:
        running: Whether calls are counted now.
    """

    running: bool = False
    _calls: list[CodeType] = field(default_factory=list)
    _frames: list[FrameType] = field(default_factory=list)
    _ours: dict[CodeType, bool] = field(default_factory=dict)

    def install(self) -> None:
        """Watch this thread, and every thread that starts from now on."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)

    def remove(self) -> None:
        """Watch no longer."""
        sys.setprofile(None)
        threading.setprofile(None)

    def start(self) -> None:
        """Begin to count, from nothing."""
        self._calls.clear()
        self._frames.clear()
        self.running = True

    def stop(self) -> dict[str, Any]:
        """Count no longer; what was counted."""
        self.running = False
        calls = list(self._calls)
        files = [code.co_filename for code in calls]
        return {
            "calls": len(calls),
            "functions": len(set(calls)),
            "modules": len(set(files)),
            "jumps": sum(a != b for a, b in pairwise(files)),
            "order": [_name(code) for code in calls],
        }

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not self.running:
            return
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = _is_ours(code)
        if not self._ours[code]:
            return
        if code.co_flags & _RESUMED:
            if any(each is frame for each in self._frames):
                return
            self._frames.append(frame)
        self._calls.append(code)


def _is_ours(code: CodeType) -> bool:
    packages = [
        str(Path(str(module.__file__)).parent)
        for name, module in list(sys.modules.items())
        if name.startswith("tracesplice") and "." not in name and hasattr(module, "__file__")
    ]
    inside = any(code.co_filename.startswith(f"{each}/") for each in packages)
    return inside and code.co_name not in _COMPREHENSIONS


def _name(code: CodeType) -> str:
    path = Path(code.co_filename)
    function = getattr(code, "co_qualname", code.co_name)  # the former from Python 3.11 on
    return f"{path.parent.name}.{path.stem}.{function}"


@dataclass
class _Events:
    python: int = 0
    c: int = 0


def all_events(function: Callable[[], object]) -> dict[str, int]:
    """Calls of Python functions and of C functions, whosever they are, in this thread."""
    found = _Events()

    def profile(_: FrameType, event: str, __: Any) -> None:
        if event == "call":
            found.python += 1
        elif event == "c_call":
            found.c += 1

    gc.disable()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    found.c -= 1  # sys.setprofile
    return asdict(found)


def bytecodes(function: Callable[[], object]) -> int:
    """Bytecodes run in this thread, whosever they are."""
    found = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal found
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        found += event == "opcode"
        return trace

    gc.disable()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
        gc.enable()
    return found
