"""Each wire form on real gateways: what the request says is what Langfuse shows, in every mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace

from conformance.forms import form_of
from conformance.harness import Stage, gateway_generations, run_cell
from conformance.requests import REQUESTS, HttpApplication, cell
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.harness import Cell
    from tracesplice.adapter import Link

# A header alone says where a call belongs, and nothing else.
HEADER_ALONE = [name for name, request in REQUESTS.items() if request.form.ids == "header"]
CELLS = [cell(name, mode) for mode in GatewayMode for name in REQUESTS if name not in HEADER_ALONE]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_form(stage: Stage, cell: Cell, check: Callable[[Stage, Cell], None]) -> None:
    check(stage, cell)
    assert form_of(HttpApplication.sent) == REQUESTS[cell.shape.name].form
    [generation] = gateway_generations(stage)
    said = HttpApplication.reply.headers["x-litellm-response-cost"]
    assert said is None or generation.cost == pytest.approx(float(said), abs=1e-12)
    assert not [each for each in stage.recorder.problems() if each.kind != "prompt-type"]


def wrong(stage: Stage, cell: Cell) -> set[str]:
    """The checks that do not hold."""
    checks = run_cell(stage, cell, None).checks
    return {check for check, text in checks.items() if text is not None} - {"e"}


@pytest.mark.parametrize("mode", GatewayMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", HEADER_ALONE)
def test_a_header_alone(stage: Stage, name: str, mode: GatewayMode) -> None:
    assert wrong(stage, cell(name, mode)) == {"d", "i"}
    assert form_of(HttpApplication.sent) == REQUESTS[name].form


def _above(link: Link) -> Link:
    span: object = trace.get_current_span()
    return replace(link, parent_id=f"{span.parent.span_id:016x}")  # type: ignore[attr-defined]


# What a link loses on its way: the checks that no longer hold.
LOSSES: dict[str, tuple[Callable[[Link], Link], set[str]]] = {
    "trace": (lambda link: replace(link, trace_id=None, parent_id=None), {"a", "b", "g"}),
    "parent": (_above, {"b", "g"}),
    "prompt": (lambda link: replace(link, prompt=None), {"c"}),
    "user": (lambda link: replace(link, user_id=None), {"d"}),
    "session": (lambda link: replace(link, session_id=None), {"d"}),
    "tags": (lambda link: replace(link, tags=()), {"d"}),
    "environment": (lambda link: replace(link, environment=None), {"i"}),
}


@pytest.mark.parametrize("mode", GatewayMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("lost", LOSSES)
def test_what_is_lost_is_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, lost: str, mode: GatewayMode
) -> None:
    change, checks = LOSSES[lost]
    monkeypatch.setattr(HttpApplication, "link", staticmethod(change))
    tried = replace(cell("/chat/completions json body+header prompt", mode), enclosed=True)
    assert wrong(stage, tried) == checks
