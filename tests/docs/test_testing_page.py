"""The application and the test of the page on testing, in process and on a real gateway."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.test_pages import blocks, put_files
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.gateway._process import clean_environment, find_venv

PAGE = Path("docs/testing.md")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_the_suite_of_the_page_passes(tmp_path: Path) -> None:
    put_files(PAGE, tmp_path)
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout


def test_without_splice_it_fails_as_the_page_says(tmp_path: Path) -> None:
    put_files(PAGE, tmp_path)
    app = tmp_path / "app.py"
    app.write_text(re.sub(r"tracesplice\.splice\((OpenAI\(.*\))\)", r"\1", app.read_text()))
    result = run(tmp_path)
    assert "1 failed" in result.stdout
    [shown] = [each.text for each in blocks(PAGE) if each.language == "text"]
    for line in filter(None, map(without_ids, shown.splitlines())):
        assert f"E       {line}" in without_ids(result.stdout)


def without_ids(text: str) -> str:
    return re.sub(r"(Trace \d)  \w+", r"\1", text)


@pytest.mark.parametrize("mode", GatewayMode)
def test_the_same_suite_on_a_real_gateway(tmp_path: Path, mode: GatewayMode) -> None:
    put_files(PAGE, tmp_path)
    test = tmp_path / "test_app.py"
    test.write_text(test.read_text().replace("gateway_stand_in", "litellm_gateway"))
    result = run(tmp_path, f"--litellm-venv={find_venv()}", f"--litellm-mode={mode.value}")
    assert "1 passed" in result.stdout, result.stdout
