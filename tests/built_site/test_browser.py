"""A browser reads the site from its folder, on a phone: it fits, searches, loads nothing else."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from built_site.page import PAGES, SITE
from rig.patience import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None or not PAGES:
    pytest.skip("it needs chromium and the site: CONTRIBUTING.md", allow_module_level=True)
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
OPTIONS += ["--virtual-time-budget=8000", "--allow-file-access-from-files"]
# The page in a frame as wide as a phone, and what a script sees of it when all is loaded.
FRAME = """<title></title><iframe src="{}" style="width:390px;height:2000px"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => setTimeout(() => {{
  const inside = frame.contentWindow, root = inside.document.documentElement;
  const loaded = inside.performance.getEntriesByType("resource").map((each) => each.name);
  const found = [...inside.document.querySelectorAll(".md-search-result__link")];
  document.title = JSON.stringify({{
    width: [root.scrollWidth, root.clientWidth],
    elsewhere: loaded.filter((name) => !name.startsWith("file:")),
    found: found.map((link) => link.getAttribute("href")),
  }});
}}, 3000);
</script>"""


def seen(page: str, tmp_path: Path) -> Any:
    frame = tmp_path / "phone.html"
    frame.write_text(FRAME.format(f"file://{SITE}/{page}"))
    command = [
        str(CHROMIUM),
        *OPTIONS,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"file://{frame}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    title = re.search(r"<title>(.+)</title>", done.stdout)
    assert title, done.stdout + done.stderr
    return json.loads(html.unescape(title[1]))


@pytest.mark.parametrize("page", ["index", "compatibility", "frameworks", "reference/adapter"])
def test_it_fits_a_phone_and_loads_nothing_from_elsewhere(page: str, tmp_path: Path) -> None:
    found = seen(f"{page}.html", tmp_path)
    assert found["width"][0] <= found["width"][1]
    assert found["elsewhere"] == []


def test_it_searches_without_a_server(tmp_path: Path) -> None:
    found = seen("index.html?q=unsplice", tmp_path)["found"]
    assert any("reference/tracesplice.html" in each for each in found), found
