"""A spliced call ends as an unspliced one where processes begin and end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from faults.scripted import OK, Reply, Scripted
from faults.table.libraries import LIBRARIES
from faults.table.process import ENDS, STARTS
from faults.table.rows import PROCESSES
from rig.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.table.libraries import Library
    from faults.table.outcomes import Cells

HERE = [library for library in LIBRARIES if library.is_here]
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.parametrize(
        "library",
        HERE if "TRACESPLICE_EVERY_WAY" in os.environ else HERE[:1],
        ids=lambda library: library.name,
    ),
]


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.stop()


def program(row: str, library: Library, server: Scripted, *more: str) -> subprocess.Popen[str]:
    command = (sys.executable, "-W", "ignore", "-m", "faults.table.process", row)
    return subprocess.Popen(
        (*command, library.name, server.url, *more),
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def linked(server: Scripted) -> list[bool]:
    return [b"litellm_metadata" in each.body for each in server.seen]


def note(cells: Cells, row: str, library: Library, ended: str, wrong: bool) -> None:
    said = ["ended"] if wrong else []
    cells.add_plain(f"{PROCESSES}: {row}", library, "sync", ended, said)


@pytest.mark.parametrize("row", STARTS)
def test_a_start(server: Scripted, cells: Cells, row: str, library: Library) -> None:
    server.script([OK])
    out, errors = program(row, library, server).communicate(timeout=PATIENCE)
    assert out, errors
    plain, spliced = json.loads(out.splitlines()[-1])
    wrong = plain != spliced or linked(server)[::-1][0] is not True or linked(server)[0] is True
    note(cells, row, library, "answer", wrong)
    assert plain == spliced
    assert not wrong


@pytest.mark.parametrize("row", ENDS)
def test_an_end(server: Scripted, cells: Cells, row: str, library: Library) -> None:
    found: list[Any] = []
    for more in ((), ("spliced",)):
        server.script([Reply(held=True)])
        running = program(row, library, server, *more)
        deadline = time.monotonic() + PATIENCE
        while not server.seen and time.monotonic() < deadline:
            time.sleep(0.01)
        out, errors = running.communicate("go\n", timeout=PATIENCE)
        found.append((running.returncode, out, errors, len(server.seen)))
        assert linked(server) == [bool(more)]
    note(
        cells,
        row,
        library,
        "answer" if row == "atexit" else "the process ends",
        found[0] != found[1],
    )
    assert found[0] == found[1]
    assert found[0][0] == 0
