"""Every link of the site leads somewhere in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from built_site.page import PAGES, SITE, Page

if not PAGES:
    pytest.skip("build the site first: make docs", allow_module_level=True)
ROOT = Path(__file__).parents[2]
EXTERNAL = re.compile(r"^(https?:|mailto:)")
opened = cache(Page)


def test_every_page_of_docs_is_in_the_navigation() -> None:
    said = (ROOT / "site" / "mkdocs.yml").read_text()
    assert all(f" {path.name}\n" in said for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_nothing_is_loaded_from_elsewhere(page: Path) -> None:
    assert [each for each in opened(page).loaded if "//" in each] == []
    if page.name != "404.html":  # its addresses begin at the site's root
        for each in opened(page).loaded:
            assert (SITE / page).parent.joinpath(each.partition("?")[0]).is_file(), each


def test_styles_load_nothing_from_elsewhere() -> None:
    for style in SITE.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//", style.read_text()) == []


@pytest.mark.parametrize("page", [each for each in PAGES if each.name != "404.html"], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for link in opened(page).links:
        path, _, anchor = link.partition("#")
        if EXTERNAL.match(link):
            continue
        found = (SITE / page).parent.joinpath(path).resolve() if path else SITE / page
        assert found.is_file(), f"{page} links to {link}"
        if anchor and found.suffix == ".html":
            ids = opened(found.relative_to(SITE)).ids
            assert anchor in ids, f"{page} links to {link}"


def test_public_names_are_in_the_reference() -> None:
    import tracesplice

    ids = opened(Path("reference/tracesplice.html")).ids
    assert {f"tracesplice.{name}" for name in tracesplice.__all__} <= ids


def test_no_page_shows_markup() -> None:
    # Lists, tables and fences that the site reads otherwise than a git host does.
    for page in PAGES:
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", (SITE / page).read_text(), flags=re.DOTALL)
        assert not re.search(r"<p>[^<]*(\n[-*] |\n\d\. |\n\|)", text), page
        assert "```" not in text, page
