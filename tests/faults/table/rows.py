"""All rows, in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.table import (
    interrupts,
    process,
    rows_caller,
    rows_gateway,
    rows_langfuse,
    rows_ours,
    served,
)

if TYPE_CHECKING:
    from faults.table.stage import Fault

__all__ = ["GROUPS", "PROCESSES", "SENTENCES"]

PROCESSES = "Processes"

GROUPS: dict[str, dict[str, Fault]] = {
    "The gateway": rows_gateway.ROWS,
    "Langfuse": rows_langfuse.ROWS,
    "The caller": rows_caller.ROWS,
    "What raises": rows_ours.ROWS,
}

SENTENCES: dict[str, dict[str, str]] = {
    group: {name: row.says for name, row in rows.items()} for group, rows in GROUPS.items()
}
SENTENCES["The caller"] |= interrupts.ROW
SENTENCES |= {
    PROCESSES: {**process.STARTS, **served.ROW, **process.ENDS, **process.AT_EXIT},
}
"""What each row says, by group and name."""
