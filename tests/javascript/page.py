"""Puts the programs of this folder into docs/javascript.md: ``python tests/javascript/page.py``."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["PAGE", "filled"]

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "javascript.md"
BLOCK = re.compile(r"(<!-- file: (\S+) -->\n```js\n).*?(^```$)", re.MULTILINE | re.DOTALL)


def filled(page: str) -> str:
    """The page, each block with the text of its file."""
    return BLOCK.sub(lambda found: found[1] + (HERE / found[2]).read_text() + found[3], page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
