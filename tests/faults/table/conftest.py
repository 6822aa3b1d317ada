"""What the table's tests share."""

from __future__ import annotations

import gc
import importlib
from typing import TYPE_CHECKING

import pytest

from faults.scripted import Scripted
from faults.table.langfuses import Langfuses
from faults.table.libraries import LIBRARIES
from faults.table.outcomes import Cells
from faults.table.stage import Stage
from shapes.litellm_clients import cleared_away

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def cells() -> Iterator[Cells]:
    """The cells of this run, for the page."""
    cells = Cells()
    yield cells
    if all(library.is_here for library in LIBRARIES):
        cells.save()


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    """Where the calls are made."""
    gateway, other, langfuses = Scripted(), Scripted(), Langfuses()
    stage = Stage(gateway, other, langfuses)
    for library in LIBRARIES:
        if library.is_here:
            importlib.import_module(library.module)
    gc.collect()
    with cleared_away():
        yield stage
        stage.close()
        langfuses.close()
        for each in (gateway, other):
            each.stop()
        gc.unfreeze()  # what was left of calls that were interrupted is cleared away, too
