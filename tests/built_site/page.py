"""What a browser finds in a page of the site."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

__all__ = ["PAGES", "SITE", "Page"]

SITE = Path(__file__).parents[2] / "build" / "site"
PAGES = sorted(path.relative_to(SITE) for path in SITE.rglob("*.html"))
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "srcset"}
# `rel` of links that a browser does not load.
SAID = {"canonical", "next", "prev", "edit"}


class Page(HTMLParser):
    """Its ids, its links, and what is loaded with it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed((SITE / path).read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if (name := LOADED.get(tag)) in found and found.get("rel") not in SAID:
            self.loaded.append(found[str(name)])
