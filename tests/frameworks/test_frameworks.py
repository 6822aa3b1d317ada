"""Each program, each of its calls, in each mode of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frameworks.about import about
from frameworks.outcomes import save
from frameworks.process import python_of
from tracesplice_testing import GatewayMode

if TYPE_CHECKING:
    from frameworks.process import Process
    from frameworks.stage import Stage


def test_program(stage: Stage, program: str) -> None:
    python = python_of(program)
    assert python.exists(), f"no {python}: `make matrix-frameworks` builds the environments"
    answers, wrong = _plain(stage, program)
    outcomes: dict[str, dict[str, Any]] = {}
    surprises = []
    for mode in GatewayMode:
        with stage.process(program, mode) as process:
            for call, answer in answers.items():
                found, surprise = _call(stage, process, program, call, answer, mode)
                outcomes.setdefault(call, {})[mode.value] = found
                surprises += surprise
            versions = process.introduction["versions"]
    save(program, versions, outcomes)
    assert not surprises, "\n\n".join(surprises)
    assert wrong == set(answers), "without tracesplice, each call is wrong"


def _call(
    stage: Stage, process: Process, program: str, call: str, answer: str, mode: GatewayMode
) -> tuple[dict[str, str], list[str]]:
    """What is wrong with a call, and what of that is not expected.

    In one mode, a call that should be whole is made without an enclosing span, too.
    """
    expected = about(program).expected(call, mode.value)
    found: dict[str, str] = {}
    surprises = []
    around = [True] if expected or mode is not GatewayMode.LANGFUSE else [True, False]
    for enclosed in around:
        outcome = stage.run(process, call, answer=answer, enclosed=enclosed)
        found |= outcome.wrong
        if outcome.wrong.keys() != expected:
            where = mode.value if enclosed else f"{mode.value}, without a span around it"
            surprises.append(f"{call} in {where}: {outcome.wrong}\n{outcome.recorded}")
    return found, surprises


def _plain(stage: Stage, program: str) -> tuple[dict[str, str], set[str]]:
    """What its calls answer without tracesplice, and which of them are wrong then."""
    answers, wrong = {}, set()
    with stage.process(program, GatewayMode.LANGFUSE, plain=True) as process:
        for call in process.introduction["calls"]:
            outcome = stage.run(process, call)
            if outcome.checks["e"]:
                pytest.fail(f"{call} without tracesplice: {outcome.checks['e']}\n{process.log()}")
            answers[call] = outcome.answer
            if outcome.wrong:
                wrong.add(call)
    return answers, wrong
