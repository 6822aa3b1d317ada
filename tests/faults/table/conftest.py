"""What the table's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.table.libraries import LIBRARIES
from faults.table.outcomes import Cells

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def cells() -> Iterator[Cells]:
    """The cells of this run, for the page."""
    cells = Cells()
    yield cells
    if all(library.is_here for library in LIBRARIES):
        cells.save()
