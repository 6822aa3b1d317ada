"""Builds the environment of a cell, runs its tests, and notes what came of it.

``python -m matrix.run [--canary] [PART OF A CELL'S NAME ...]``
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from matrix.cells import ROOT, Cell, canary, cells
from matrix.page import write

BUILD = ROOT / "build" / "matrix"
UV = Path(sys.executable).with_name("uv")
LIMIT = 1500  # seconds
ENDED = 124


def python_of(version: str) -> str | None:
    """An interpreter of this minor version, None where none is installed."""
    places = Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")
    for each in (f"python{version}", *map(str, places)):
        found = shutil.which(each)
        said = found and subprocess.run([found, "--version"], capture_output=True, text=True)
        if said and f"Python {version}." in said.stdout:
            return found
    return None


def folder_of(cell: Cell) -> Path:
    return BUILD / re.sub(r"[^\w.]+", "-", cell.name)


def note_of(cell: Cell) -> Path:
    return BUILD / f"{folder_of(cell).name}.json"


def run(cell: Cell) -> dict[str, Any]:
    """What came of a cell: `state`, and what else there is to say."""
    python = python_of(cell.python)
    if python is None:
        return {"state": "left out", "why": f"no Python {cell.python} here"}
    folder = folder_of(cell)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if why := build(cell, python, folder):
        return {"state": "not installed", "why": why}
    return {"versions": versions(cell, folder), **tested(cell, folder)}


def build(cell: Cell, python: str, folder: Path) -> str:
    """Build the environment; why not, where it does not go."""
    venv = folder / "venv"
    prefix = ("pip", "install", "--quiet", "--python", str(venv))
    steps: list[tuple[str, ...]] = [("venv", "--quiet", "--python", python, str(venv))]
    steps += [(*prefix, *each) for each in cell.install]
    for step in steps:
        done = subprocess.run([str(UV), *step], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip()[-600:]
    return ""


def versions(cell: Cell, folder: Path) -> dict[str, str]:
    command = [str(UV), "pip", "list", "--format", "json", "--python", str(folder / "venv")]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = {each["name"]: each["version"] for each in listed}
    return {name: found[name] for name in cell.shown if name in found}


def tested(cell: Cell, folder: Path) -> dict[str, Any]:
    venv, result = folder / "venv", folder / "junit.xml"
    python = ROOT / ".venv" if cell.is_gateway else venv
    env = {**os.environ, **cell.env, "TRACESPLICE_OUTCOMES": str(folder)}
    if cell.is_gateway:
        env["TRACESPLICE_GATEWAY_VENV"] = str(venv)
    command = [str(python / "bin" / "python"), "-m", "pytest", "-q", f"--junit-xml={result}"]
    with (folder / "log").open("w") as log:
        try:
            done = subprocess.run(
                [*command, *cell.tests], cwd=ROOT, env=env, stdout=log, stderr=log, timeout=LIMIT
            ).returncode
        except subprocess.TimeoutExpired:
            done = ENDED
    if not result.exists():
        return {"state": "fails", "why": (folder / "log").read_text()[-600:], "code": done}
    return counted(result)


def counted(result: Path) -> dict[str, Any]:
    """Read what pytest wrote."""
    [suite] = ElementTree.parse(result).getroot()
    number = {key: int(suite.get(key) or 0) for key in ("tests", "errors", "failures", "skipped")}
    wrong = number["errors"] + number["failures"]
    failed = [
        f"{case.get('name')}: {found.get('message', '')[:300]}"
        for case in suite.iter("testcase")
        for found in (*case.findall("failure"), *case.findall("error"))
    ]
    passed = number["tests"] - wrong - number["skipped"]
    state = "holds" if passed and not wrong else "fails"
    return {"state": state, "passed": passed, "wrong": wrong, "failed": failed[:20]}


def main() -> None:
    """Run the cells, and write the page after each of them."""
    names = [each for each in sys.argv[1:] if not each.startswith("-")]
    is_canary = "--canary" in sys.argv
    chosen = canary() if is_canary else cells()
    for cell in chosen:
        noted = note_of(cell)
        if not names or any(each in cell.name for each in names):
            outcome = run(cell)
            noted.parent.mkdir(parents=True, exist_ok=True)
            noted.write_text(
                json.dumps({**outcome, "python": cell.python, "lacks": cell.lacks}, indent=1)
            )
            shutil.rmtree(folder_of(cell) / "venv", ignore_errors=True)
            print(cell.name, outcome["state"], outcome.get("why", outcome.get("wrong")), flush=True)
    notes = {each.name: note_of(each) for each in chosen}
    found = {name: json.loads(path.read_text()) for name, path in notes.items() if path.exists()}
    write(found, is_canary=is_canary)
    sys.exit(any(each["state"] == "fails" for each in found.values()))


if __name__ == "__main__":
    main()
