"""Whatever goes wrong, a spliced call ends as an unspliced one, and leaves nothing behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults.table.libraries import LIBRARIES
from faults.table.rows import GROUPS
from shapes.litellm_clients import WARNINGS

if TYPE_CHECKING:
    from faults.table.libraries import Library
    from faults.table.outcomes import Cells
    from faults.table.stage import Fault, Stage

pytestmark = WARNINGS
# Without it, half of the libraries in each row, each in one of the ways.
EVERY_WAY = "TRACESPLICE_EVERY_WAY" in os.environ
CELLS = [
    pytest.param(f"{group}: {name}", fault, library, way, id=f"{name}-{library.name}-{way}")
    for group, rows in GROUPS.items()
    for number, (name, fault) in enumerate(rows.items())
    for other, library in enumerate(LIBRARIES)
    if library.is_here and library.name in (fault.libraries or (library.name,))
    for at, way in enumerate(fault.ways)
    if EVERY_WAY
    or (
        (fault.libraries or (number + other) % 2 == 0)
        and at == (number // 2 + other) % len(fault.ways)
    )
]


@pytest.mark.parametrize(("row", "fault", "library", "way"), CELLS)
def test_a_cell(
    stage: Stage, cells: Cells, row: str, fault: Fault, library: Library, way: str
) -> None:
    outcome, wrong = stage.check(fault, library, way)
    if wrong and all(each.startswith("left: ") for each in wrong):
        # What is left of ours is left each time; LiteLLM logs calls when it finds the time.
        outcome, wrong = stage.check(fault, library, way)
    cells.add(row, library, way, outcome, wrong, counted=fault.counted)
    assert not wrong
