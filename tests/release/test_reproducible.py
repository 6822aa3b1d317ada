"""The same files are built from the same sources, wherever and whenever it is done."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import dist

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_000_000_000  # seconds


def copy_of_the_checkout(target: Path) -> None:
    listed = [
        "git",
        "-C",
        str(dist.ROOT),
        "ls-files",
        "-zco",
        "--exclude-standard",
        "VERSION",
        "core",
        "adapters",
    ]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(dist.ROOT / name, target / name)
        os.utime(target / name, (LONG_AGO, LONG_AGO))
        (target / name).chmod(0o600)
    shutil.copyfile(dist.ROOT / ".gitignore", target / ".gitignore")


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.iterdir())
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


@pytest.fixture(scope="module")
def commit_time() -> str:
    return dist._commit_time(dist.ROOT)["SOURCE_DATE_EPOCH"]


def test_another_folder_time_and_machine_give_the_same_bytes(
    built: Path, tmp_path: Path, commit_time: str
) -> None:
    copy_of_the_checkout(tmp_path / "copy")
    elsewhere = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    before = os.umask(0o077)
    try:
        again = tmp_path / "again"
        dist.build(again, tmp_path / "copy", SOURCE_DATE_EPOCH=commit_time, **elsewhere)
    finally:
        os.umask(before)
    assert digests(again) == digests(built)
    assert len(digests(built)) == 2 * len(dist.folders())


@pytest.mark.parametrize("folder", dist.folders())
def test_an_sdist_holds_one_distribution(folder: str, built: Path) -> None:
    package = dist.package_of(folder)
    [archive] = built.glob(f"{package}-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {each.name.partition("/")[2] for each in opened.getmembers()}
    beside = {each for each in names if not each.startswith(f"src/{package}/")}
    wanted = {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO"}
    assert beside - {".gitignore"} == wanted
    assert f"src/{package}/py.typed" in names
