"""`tracesplice doctor --app`: what a module of the application sets up, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doctor.conftest import Doctor, Outcome

    Run = Callable[..., Outcome]

IMPORTS = "import tracesplice\nfrom langfuse import Langfuse, get_client\n"
MASKED = "Langfuse(mask_otel_spans=tracesplice.count_usage_once())\n"
# No gateway is named here, and that is a problem of its own.
NO_GATEWAY = "gateway.server"


@pytest.fixture
def run(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the doctor on a module `shop` of this text, in the folder where it lies."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, target: str = "shop", **variables: str) -> Outcome:
        (tmp_path / "shop.py").write_text(text)
        return doctor.with_(**variables).run("--app", target)

    return run


def test_all_is_fine(run: Run) -> None:
    # What the module prints does not get into the answer, nor does its argument parser.
    outcome = run(f"import sys\n{IMPORTS}{MASKED}print('hello', sys.argv)")
    assert outcome.problems() == {NO_GATEWAY}
    found = {check: each for check, each in outcome.findings.items() if check.startswith("app.")}
    assert {each["state"] for each in found.values()} == {"ok"}
    assert {*found} == {"app.mask", "app.tracing", "app.integrations"}
    assert outcome.text("app.tracing").startswith("The application traces; its sampler is AlwaysOn")
    assert len(outcome.text("app.tracing")) < 80


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Langfuse()", "is not set"),
        (f"get_client()\n{MASKED}", "set too late"),
        ("Langfuse(mask_otel_spans=tracesplice.count_usage_once)", "parentheses are missing"),
        ("Langfuse(mask_otel_spans=lambda *, params: None)", "(then=your_mask)"),
    ],
    ids=["missing", "too late", "not called", "another"],
)
def test_a_mask_that_counts_nothing_once(run: Run, text: str, says: str) -> None:
    outcome = run(f"{IMPORTS}{text}")
    assert outcome.problems() == {NO_GATEWAY, "app.mask"}
    assert says in outcome.text("app.mask")
    assert "mask_otel_spans=tracesplice.count_usage_once(" in outcome.text("app.mask")


def test_a_mask_of_the_user_s_that_runs_ours(run: Run) -> None:
    outcome = run(
        f"{IMPORTS}ours = tracesplice.count_usage_once()\n"
        "Langfuse(mask_otel_spans=lambda *, params: ours(params=params))"
    )
    assert outcome.problems() == {NO_GATEWAY}


def test_a_mask_that_leaves_the_counting_to_the_application(run: Run) -> None:
    text = f"{IMPORTS}Langfuse(mask_otel_spans=tracesplice.count_usage_once(owner='client'))\n"
    outcome = run(text)
    assert outcome.state("app.mask") == "unknown"
    assert "if the gateway does not report" in outcome.text("app.mask")
    # Both of its generations count.
    twice = run(f"{text}import langfuse.openai, langfuse.langchain\n")
    assert twice.state("app.integrations") == "problem"


def test_a_mask_of_the_user_s_counts_nothing_once_by_itself(run: Run) -> None:
    imports = "import langfuse.openai, langfuse.langchain\n"
    outcome = run(f"{IMPORTS}{imports}Langfuse(mask_otel_spans=lambda *, params: None)")
    assert outcome.state("app.integrations") == "problem"


def test_a_function_that_makes_the_client_is_called(run: Run) -> None:
    text = f"{IMPORTS}def main():\n    {MASKED}"
    imported = run(text)
    assert imported.state("app.mask") == "unknown"
    assert "--app module:function" in imported.text("app.mask")
    assert run(text, "shop:main").state("app.mask") == "ok"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Langfuse(tracing_enabled=False)", "switched off"),
        ("Langfuse(sample_rate=0.0)", "samples no trace: TraceIdRatioBased{0.0}"),
    ],
)
def test_an_application_that_reports_nothing(run: Run, text: str, says: str) -> None:
    outcome = run(f"{IMPORTS}{text}")
    assert "app.tracing" in outcome.problems()
    assert says in outcome.text("app.tracing")


def test_keys_that_the_module_reads_from_a_file(run: Run) -> None:
    keys = "public_key='pk-lf-read-from-a-file', secret_key='sk-lf-read-from-a-file'"
    outcome = run(f"{IMPORTS}Langfuse({keys})")
    assert outcome.state("app.project") == "unknown"
    assert "pk-l…file" in outcome.text("app.project")
    assert "read-from-a" not in outcome.output


def test_two_integrations_of_one_call(run: Run) -> None:
    text = f"{IMPORTS}import langfuse.openai, langfuse.langchain\n"
    alone = run(f"{text}Langfuse()")
    assert "langfuse.openai is imported beside langfuse.langchain" in alone.text("app.integrations")
    assert alone.state("app.integrations") == "problem"
    assert run(f"{text}{MASKED}").state("app.integrations") == "ok"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise RuntimeError('no database')", "RuntimeError: no database"),
        ("import sys\nsys.exit('usage')", "SystemExit: usage"),
        ("import os\nos._exit(3)", "exit code 3"),
    ],
)
def test_a_module_that_cannot_be_imported(run: Run, text: str, says: str) -> None:
    outcome = run(text)
    assert outcome.problems() == {NO_GATEWAY, "app.import"}
    assert says in outcome.text("app.import")
    assert outcome.code == 1


def test_a_module_that_is_not_there(run: Run) -> None:
    assert "No module named 'sohp'" in run("", "sohp").text("app.import")


def test_a_file_in_place_of_a_module(run: Run) -> None:
    assert "\ntracesplice doctor --app shop" in run("", "shop.py").text("app.import")
    typed = run("", "./shop/main.py:make").text("app.import")
    assert typed.endswith("\ntracesplice doctor --app shop.main:make")


def test_a_function_that_fails(run: Run) -> None:
    text = run("def make(name): pass", "shop:make").text("app.import")
    assert text.startswith("shop:make failed: TypeError: make() missing")


def test_a_fault_of_the_doctor_s_own_is_not_the_module_s(run: Run) -> None:
    outcome = run("import sys\nsys.modules['tracesplice._calls'] = None")
    assert outcome.problems() == {NO_GATEWAY}
    assert outcome.state("app.import") == "unknown"
    assert outcome.text("app.import").startswith("The doctor could not look at what shop set up")
