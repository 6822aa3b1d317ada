"""What people hold of a library is spliced, and asks a model in a gateway's place.

Runs on the library itself: fails where that moved its OpenAI client, or makes it in another way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from frameworks.process import Process
from tracesplice_testing import ModelServer, Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

LINKED = {"plain": False, "other": False, "spliced": True, "unspliced": False}
COPIES = ("copied", "deep-copied", "pickled")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[ModelServer, Recorder]]:
    with ModelServer() as model, Recorder() as recorder:
        yield model, recorder


def test_held(servers: tuple[ModelServer, Recorder], held: str) -> None:
    model, recorder = servers
    url = f"{model.url}/v1"
    wrong: list[str] = []
    variables = {
        **recorder.env(),
        "HELD_URL": url,
        "HELD_KEY": "sk-local",
        "TRACESPLICE_STRICT": "1",
    }
    with Process(held, variables, "held_child") as process:
        for name in process.introduction["held"]:
            if expected := process.introduction["refused"].get(name):
                said = process.make(f"{name} / spliced").get("refused", "")
                if expected not in said:
                    wrong.append(f"{name} is refused with: {said}")
                continue
            wrong += filter(None, (_wrong(process, model, name, step) for step in LINKED))
            wrong += filter(None, (_wrong(process, model, name, step) for step in COPIES))
            said = process.make(f"{name} / provider").get("refused", "")
            if "is OpenAI itself" not in said:
                wrong.append(f"{name} at OpenAI: {said}")
        assert not wrong, "\n".join(wrong) + process.log()


def _wrong(process: Process, model: ModelServer, name: str, step: str) -> str | None:
    model.clear()
    made: dict[str, Any] = process.make(f"{name} / {step}")
    if "trace" not in made:
        return f"{name}, {step}: {made}"
    linked = {made["trace"] in each.headers.get("traceparent", "") for each in model.calls}
    if not made["called"] or linked == {LINKED.get(step, True)}:
        return None
    return f"{name}, {step}: linked {linked}"
