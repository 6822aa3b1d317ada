"""The pages are true: their code runs, their links lead somewhere, their commands exist.

A Python block after ``<!-- run -->`` is run; those of a page run in order, as one program. A block
after ``<!-- file: NAME -->`` is put beside them as a file; a ``pyproject.toml`` among them is taken
for installed. Every other Python block only has to compile.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.patience import PATIENCE
from tracesplice_testing.gateway._process import clean_environment
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "core/*.md", "adapters/*/*.md")
    for path in sorted(ROOT.glob(pattern))
]
BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# LlamaIndex and OpenInference look at attributes that pydantic calls deprecated.
WARNINGS = ("-W", "error", "-W", "ignore::DeprecationWarning")
MACHINE = re.compile(r"/(work|home|root|tmp|Users|opt)/|file://|simple/|index-url|127\.0\.0\.1:\d")


@dataclass(frozen=True)
class Block:
    """A fenced block: what the comment above it says, its language, text and first line."""

    mark: str
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(match[1] or "", match[2], match[3], text.count("\n", 0, match.start(3)))
        for match in BLOCK.finditer(text)
    ]


def program(page: Path) -> str:
    """The runnable blocks of a page, on the lines they have there."""
    source = ""
    for block in blocks(page):
        if block.mark == "run":
            source += "\n" * (block.line - source.count("\n")) + block.text
    return source


# Pages with a generation whose usage is the gateway's.
COUNTED_ONCE = ("adapters.md", "counting.md")
RUNNABLE = [page for page in PAGES if program(page)]


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        server.add_prompt("greeting", "Say hello.", labels=["production"])
        yield server


def put_files(page: Path, folder: Path) -> None:
    for block in blocks(page):
        kind, _, name = block.mark.partition(": ")
        if kind == "file":
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(block.text)
            if name == "pyproject.toml":
                install(block.text, folder)


def install(pyproject: str, folder: Path) -> None:
    """Write the metadata that an installation would, for the package and its framework."""
    framework = re.findall(r'^  "(\w+)>=(\d+)', pyproject, re.MULTILINE)[0]
    needs = re.findall(r'^  "(.+)",$', pyproject, re.MULTILINE)
    name = re.findall(r'^name = "(.+)"', pyproject, re.MULTILINE)[0]
    point = re.findall(
        r'^(\[project\.entry-points\.tracesplice\])\n(\w+) = "(\w+)"', pyproject, re.M
    )
    [(_, adapter, module)] = point
    for package, version, required in ((*framework, []), (name, "0.1.0", needs)):
        info = folder / f"{package.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}"]
        lines += [f"Requires-Dist: {each}" for each in required]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "entry_points.txt").write_text(f"[tracesplice]\n{adapter} = {module}\n")


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_its_code_runs(page: Path, model: ModelServer, recorder: Recorder, tmp_path: Path) -> None:
    model.clear()
    recorder.clear()
    put_files(page, tmp_path)
    script = tmp_path / f"{page.stem}_page.py"
    script.write_text(program(page))
    env = {
        "TRACESPLICE_STRICT": "1",
        "LITELLM_PROXY_API_BASE": f"{model.url}/v1",
        "LITELLM_PROXY_API_KEY": "sk-any",
        **recorder.env(),
    }
    result = subprocess.run(
        [sys.executable, *WARNINGS, script.name],
        cwd=tmp_path,
        env=clean_environment(env),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert model.calls
    assert "litellm_metadata" in (model.calls[0].text or "")
    assert "traceparent" in model.calls[0].headers
    if page.name in COUNTED_ONCE:
        [generation] = [each for each in recorder.observations() if each.type == "GENERATION"]
        assert generation.model
        assert not any((generation.cost, *generation.usage.values()))


def test_the_pages_that_must_run_do() -> None:
    assert {"README.md", "docs/openai.md", "docs/adapters.md"} <= set(map(str, RUNNABLE))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_its_code_compiles(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile("\n" * block.line + block.text, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_its_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall((ROOT / page).read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), f"{page} links to {target}"
        if anchor:
            assert anchor in anchors(found), f"{page} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_its_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:\$ |`)make ([a-z-]+)", (ROOT / page).read_text())
    assert set(named) <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_it_names_no_machine(page: Path) -> None:
    assert MACHINE.findall((ROOT / page).read_text()) == []
