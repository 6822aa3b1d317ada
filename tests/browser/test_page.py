"""The page of judged traces in a real Chromium: quiet, for phones, keyboards and the dark."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from browser.chromium import Page, chromium
from tracesplice_view import Judged, html
from unit.judged_traces import BARE, OWN, ROOT, gateway, traces
from unit.test_view_broken import chain, judged
from unit.test_view_hostile import hostile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PAGES = {
    "split": Judged(traces(ROOT, OWN, gateway(parent=None, trace_id="t2", **BARE))),
    "unified": Judged(traces(ROOT, OWN, gateway(input="hi", output={"text": "yes"}))),
    "hostile": hostile(),
    "long": hostile("A" * 5000),
    "deep": judged(chain(500)),
}
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
# The colour of each text, and what is behind it.
COLOURS = """
[...document.querySelectorAll('main *')].filter(each => each.checkVisibility() &&
  [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())).map(each => {
    let behind = each;
    while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
      behind = behind.parentElement;
    return [getComputedStyle(each).color, getComputedStyle(behind).backgroundColor];
  })
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if PROGRAM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with chromium(PROGRAM, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(params=PAGES)
def shown(browser: Page, tmp_path: Path, request: pytest.FixtureRequest) -> Page:
    browser.width(1100)
    browser.scheme("light")
    file = tmp_path / "page.html"
    file.write_text(html({"before": PAGES[request.param]}, title=request.param), "utf-8")
    browser.open(file)
    return browser


def test_a_page_that_complains_is_noticed(browser: Page, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<script>console.error('x'); y</script><img src='none.png'>", "utf-8")
    browser.open(file)
    assert len(browser.complaints()) >= 2
    assert len(browser.events("Network.requestWillBeSent")) == 2


def test_it_opens_from_a_file_and_loads_nothing(shown: Page) -> None:
    assert shown.complaints() == []
    assert len(shown.events("Network.requestWillBeSent")) == 1
    assert shown.value("document.scripts.length") == 0
    assert shown.value("document.querySelectorAll('.tree li').length") > 0


@pytest.mark.parametrize("pixels", [360, 1100])
def test_it_does_not_scroll_to_the_side(shown: Page, pixels: int) -> None:
    shown.width(pixels)
    shown.value(OPEN_ALL)
    assert shown.value("document.documentElement.scrollWidth") <= pixels
    # Text has room, however deep.
    narrow = "Math.min(...[...document.querySelectorAll('.tree summary')].map(x => x.clientWidth))"
    assert shown.value(narrow) > 150


@pytest.mark.parametrize("shown", ["unified"], indirect=True)
def test_it_is_used_by_keyboard(shown: Page) -> None:
    stops = shown.value("document.querySelectorAll('summary').length")
    assert stops == 4
    for number in range(stops):
        shown.press("Tab")
        focus = f"document.activeElement === document.querySelectorAll('summary')[{number}]"
        assert shown.value(focus)
        assert shown.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        before = shown.value("document.activeElement.parentElement.open")
        shown.press("Enter")
        assert shown.value("document.activeElement.parentElement.open") is not before


@pytest.mark.parametrize("shown", ["split"], indirect=True)
def test_it_is_read_aloud(shown: Page) -> None:
    nodes = shown.ask("Accessibility.getFullAXTree")["nodes"]
    said = [
        (each["role"]["value"], each.get("name", {}).get("value"))
        for each in nodes
        if not each["ignored"]
    ]
    headings = [name for role, name in said if role == "heading"]
    assert headings[:3] == ["split", "before", "What to type"]
    lists = [name for role, name in said if role == "list"]
    assert {"Observations of trace 1", "Observations of trace 2"} <= {*lists}
    assert any(role == "DisclosureTriangle" and "name-gateway" in name for role, name in said)
    spoken = " ".join(name for role, name in said if role == "StaticText")
    assert "Does not hold:" in spoken
    assert "✘" not in spoken


@pytest.mark.parametrize("shown", ["split", "unified"], indirect=True)
def test_it_is_readable_in_the_light_and_in_the_dark(shown: Page) -> None:
    behind = []
    for scheme in ("light", "dark"):
        shown.scheme(scheme)
        shown.value(OPEN_ALL)
        colours = shown.value(COLOURS)
        assert len(colours) > 20
        for front, back in colours:
            # https://www.w3.org/TR/WCAG22/#contrast-minimum
            assert contrast(front, back) >= 4.5, (scheme, front, back)
        behind.append(luminance(shown.value("getComputedStyle(document.body).backgroundColor")))
    assert behind[0] > 0.9
    assert behind[1] < 0.1


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
