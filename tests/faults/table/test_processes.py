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
from faults.table.process import AT_EXIT, ENDS, STARTS
from faults.table.rows import PROCESSES
from rig.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from faults.table.libraries import Library
    from faults.table.outcomes import Cells

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
HERE = [library for library in LIBRARIES if library.is_here]
# Without it, each row with one library: it takes seconds to import some of them.
EVERY_WAY = "TRACESPLICE_EVERY_WAY" in os.environ


def shares(rows: Iterable[str]) -> list[Any]:
    """The parameters ``row`` and ``library``."""
    return [
        pytest.param(row, library, id=f"{row}-{library.name}")
        for row in rows
        for library in (HERE if EVERY_WAY else HERE[:1])
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
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
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


@pytest.mark.parametrize(("row", "library"), shares(STARTS))
def test_a_start(server: Scripted, cells: Cells, row: str, library: Library) -> None:
    server.script([OK])
    out, errors = program(row, library, server).communicate(timeout=PATIENCE)
    assert out, errors
    plain, spliced = json.loads(out.splitlines()[-1])
    wrong = plain != spliced or linked(server)[::-1][0] is not True or linked(server)[0] is True
    note(cells, row, library, "answer", wrong)
    assert plain == spliced
    assert not wrong


@pytest.mark.parametrize(("row", "library"), shares(ENDS))
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
    note(cells, row, library, "the process ends", found[0] != found[1])
    assert found[0] == found[1]
    assert found[0][0] == 0


@pytest.mark.parametrize(("row", "library"), shares(AT_EXIT))
def test_calls_at_exit(server: Scripted, cells: Cells, row: str, library: Library) -> None:
    found: list[Any] = []
    for more in ((), ("spliced",)):
        server.script([OK])
        running = program(row, library, server, *more)
        out, errors = running.communicate(timeout=PATIENCE)
        said = [json.loads(line) for line in out.splitlines()]
        found.append((running.returncode, said, errors, len(server.seen)))
        assert set(linked(server)) <= {bool(more)}
    note(cells, row, library, "answer" if server.seen else "error", found[0] != found[1])
    assert found[0] == found[1]
    assert found[0][0] == 0
    assert len(found[0][1]) == (2 if row == "atexit" else 1)
