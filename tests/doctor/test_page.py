"""The page names every finding, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import tracesplice_cli.doctor

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
GROUPS = "environment|packages|app|langfuse|gateway|probe"


def test_the_page_has_the_checks_that_there_are() -> None:
    source = "".join(
        path.read_text() for path in Path(tracesplice_cli.doctor.__path__[0]).glob("*.py")
    )
    made = set(re.findall(rf'"((?:{GROUPS})\.[a-z_]+)"', source))
    # Those of the probe's ways and of each adapter are put together.
    made -= {"langfuse.openai", "langfuse.langchain"}  # modules
    made |= {"probe.header", "probe.body", "packages.openai"}
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    named = {
        name
        for row in rows
        for name in re.findall(rf"`((?:{GROUPS})\.[a-z_]+)`", row.split("|")[1])
    }
    assert named == made
