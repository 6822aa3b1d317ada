"""The tests that the pages show pass: of an application, and of an adapter; broken ones fail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.test_pages import ROOT, blocks, put_files
from rig.patience import PATIENCE
from tracesplice_testing.contract import PROMISES
from tracesplice_testing.gateway import GatewayMode
from tracesplice_testing.gateway._process import clean_environment, find_venv

PAGE = Path("docs/testing.md")
ADAPTERS = Path("docs/adapters.md")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
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


def test_the_example_adapter_keeps_to_the_contract(tmp_path: Path) -> None:
    put_files(ADAPTERS, tmp_path)
    result = run(tmp_path, "-rs")
    assert result.returncode == 0, result.stdout
    skipped = re.findall(r"TestAcme\.(\w+) is not filled in", result.stdout)
    assert {*skipped} == {"acall", "astream", "derive", "stream"}


# What is done to the example adapter, and the promises that the contract then says are broken.
BODY, HEADERS = "{**body, **linked.body}", "{**headers, **linked.headers}"
NOTED = "linked.answered(answer.headers if known else None)"
EACH = "type(target)._all = vars(target)[MARK] ="
BREAKS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "it carries no link": ("3", [(f"{BODY}, {HEADERS}", "body, headers")]),
    "another host is touched": ("2", [("if not any(", "if False and not any(")]),
    "the caller's dict is changed": ("4", [(BODY, "body.update(linked.body) or body")]),
    "the link is not guarded": ("5", [('@guarded("the link of an acme call")\n', "")]),
    "the answer is not passed on": ("6", [(NOTED, "pass")]),
    "elsewhere is not noted": ("7", [("note_foreign_call()", "pass")]),
    "it is imported at the top": ("8", [("MARK = ", "import acme\n\nMARK = ")]),
    "other objects are spliced": (
        "1",
        [
            ("vars(target)[MARK] =", EACH),
            ("vars(client).get(MARK)", 'getattr(client, "_all", None)'),
        ],
    ),
}


@pytest.mark.parametrize("change", BREAKS)
def test_the_contract_names_the_promise_that_is_broken(tmp_path: Path, change: str) -> None:
    put_files(ADAPTERS, tmp_path)
    promise, edits = BREAKS[change]
    adapter = tmp_path / "tracesplice_acme.py"
    text = adapter.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    adapter.write_text(text)
    result = run(tmp_path)
    assert f"AssertionError: promise {promise} of docs/adapters.md is broken" in result.stdout


def test_the_promises_are_those_of_the_page() -> None:
    numbered = re.findall(r"^(\d)\. \*\*(.+?)\*\*", (ROOT / ADAPTERS).read_text(), re.MULTILINE)
    assert [(int(number), text.rstrip(".")) for number, text in numbered] == [*PROMISES.items()]
