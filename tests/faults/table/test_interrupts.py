"""A call that is interrupted somewhere in tracesplice leaves nothing behind, nor costs the next."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults.table.interrupts import Interrupted
from faults.table.libraries import LIBRARIES, WAYS
from shapes.litellm_clients import WARNINGS

if TYPE_CHECKING:
    from faults.table.libraries import Library
    from faults.table.outcomes import Cells
    from faults.table.stage import Stage

EVERY_LINE = "TRACESPLICE_EVERY_WAY" in os.environ
# Without it, so many lines of half of the ways.
LINES = 12
HERE = [library for library in LIBRARIES if library.is_here]
CELLS = [
    pytest.param(library, way, id=f"{library.name}-{way}")
    for number, library in enumerate(HERE)
    for at, way in enumerate(WAYS)
    if EVERY_LINE or (number + at) % 2 == 0
]
pytestmark = WARNINGS


@pytest.mark.parametrize(("library", "way"), CELLS)
def test_an_interrupted_call(stage: Stage, cells: Cells, library: Library, way: str) -> None:
    calls = Interrupted(stage, library, way)
    try:
        every = 1 if EVERY_LINE else -(-calls.count // LINES)
        start = WAYS.index(way) % every
        wrong = [said for at in range(start, calls.count, every) for said in calls.wrong(at)]
    finally:
        calls.close()
    cells.add_plain("The caller: interrupted anywhere", library, way, "`KeyboardInterrupt`", wrong)
    assert calls.count > 20
    assert not wrong, "\n".join(wrong)
