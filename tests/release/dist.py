"""Builds wheel and sdist of each distribution, the same bytes from the same commit: `make dist`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "build", "environments", "folders", "package_of"]

ROOT = Path(__file__).parents[2]


def environments() -> dict[str, set[str]]:
    """Folder of each distribution -> the environments that hold it, as distributions.txt says."""
    lines = [each.split() for each in (ROOT / "distributions.txt").read_text().splitlines()]
    return {words[0]: {*words[1:]} for words in lines if words and words[0] != "#"}


def folders() -> list[str]:
    return [*environments()]


def package_of(folder: str) -> str:
    """The one importable package of a distribution."""
    found = (ROOT / folder / "src").glob("tracesplice*")
    [package] = (each for each in found if each.suffix != ".egg-info")
    return package.name


def _commit_time(root: Path) -> dict[str, str]:
    if "SOURCE_DATE_EPOCH" in os.environ or not (root / ".git").exists():
        return {}  # hatchling has a fixed date of its own
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return {"SOURCE_DATE_EPOCH": seconds}


def build(target: Path, root: Path = ROOT, **env: str) -> None:
    """Build an sdist of each distribution under `root`, and from that its wheel, into `target`.

    With what `.venv` pins, not with the newest build backend: its name is in the wheel.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target)]
    variables = {**os.environ, **_commit_time(root), **env}
    for folder in folders():
        result = subprocess.run(
            [*command, str(root / folder)], env=variables, capture_output=True, text=True
        )
        if result.returncode:
            raise SystemExit(f"{folder} was not built:\n{result.stdout}{result.stderr}")


def main() -> None:
    """Build into build/dist, which is emptied before."""
    target = ROOT / "build" / "dist"
    shutil.rmtree(target, ignore_errors=True)
    build(target)
    for path in sorted(target.iterdir()):
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
