"""All rows, in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.table import rows_caller, rows_gateway, rows_langfuse, rows_ours

if TYPE_CHECKING:
    from faults.table.stage import Fault

__all__ = ["GROUPS"]

GROUPS: dict[str, dict[str, Fault]] = {
    "The gateway": rows_gateway.ROWS,
    "Langfuse": rows_langfuse.ROWS,
    "The caller": rows_caller.ROWS,
    "What raises": rows_ours.ROWS,
}
