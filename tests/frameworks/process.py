"""A program as a process of its own: started, told to make a call, ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frameworks.about import about
from rig.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Process", "python_of"]

ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
# What libraries would tell their makers of a run.
_QUIET = {"DO_NOT_TRACK": "1", "ANONYMIZED_TELEMETRY": "False", "NO_PROXY": "127.0.0.1,localhost"}

Json = dict[str, Any]


def python_of(program: str) -> Path:
    """The interpreter of a program's environment, which nox has built."""
    name = about(program).environment or program
    return ROOT / ".nox" / f"framework-{name}" / "bin" / "python"


class Process:
    """Runs a program with these environment variables, by a module of ours; a context manager.

    Attributes:
        introduction: The names of its calls, and the versions of its packages.
    """

    def __init__(self, program: str, variables: Mapping[str, str], module: str = "child") -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._process = subprocess.Popen(
            [str(python_of(program)), "-m", f"frameworks.{module}", program],
            env={**inherited, **_QUIET, **about(program).settings, **variables},
            cwd=ROOT / "tests",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.introduction: Json = {}

    def __enter__(self) -> Process:
        try:
            self.introduction = self._next()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for file in (self._process.stdin, self._process.stdout, self._log):
            assert file is not None
            file.close()

    def make(self, call: str) -> Json:
        """Have it make one of its calls; what became of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{call}\n")
        self._process.stdin.flush()
        return self._next()

    def log(self) -> str:
        """What it wrote, the last of it."""
        self._log.seek(0)
        return self._log.read()[-6000:]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _next(self) -> Json:
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            line = ""
        if not line:
            raise RuntimeError(f"no answer of the program:\n{self.log()}")
        return dict(json.loads(line))
