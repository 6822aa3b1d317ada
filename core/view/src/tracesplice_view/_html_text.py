"""What others wrote, escaped for a page."""

from __future__ import annotations

import html
import json
from typing import Any

from tracesplice_view._printable import printable

__all__ = ["block", "element", "shown", "text"]

_BLOCK = 2000  # characters


def text(value: Any, limit: int | None = None) -> str:
    """A value as plain text, for places that take no markup."""
    return html.escape(printable(value, limit, lines=True))


def shown(value: Any, limit: int = 200) -> str:
    """A value in one line, which turns no text around it to the left."""
    return f"<bdi>{html.escape(printable(value, limit))}</bdi>"


def block(value: Any) -> str:
    """An input or output, in lines."""
    given = value
    if not isinstance(value, str):
        given = json.dumps(value, indent=2, default=str, ensure_ascii=False)
    return f'<pre dir="auto">{text(given, _BLOCK)}</pre>'


def element(name: str, inner: str, **attributes: str) -> str:
    """An element around what is HTML already; `class_` stands for `class`."""
    given = "".join(f' {key.rstrip("_")}="{value}"' for key, value in attributes.items())
    return f"<{name}{given}>{inner}</{name}>"
