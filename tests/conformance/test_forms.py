"""Each wire form on real gateways: what the request says is what Langfuse shows, in every mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from opentelemetry import trace

from conformance.checks import ATTRIBUTES
from conformance.forms import form_of
from conformance.harness import Stage, gateway_generations
from conformance.requests import REQUESTS, HttpApplication, cell, wrong
from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from conformance.harness import Cell
    from tracesplice.adapter import Link

CELLS = [cell(name, mode) for mode in GatewayMode for name in REQUESTS]
COST_OF_STREAM = 5e-6  # which LiteLLM knows when the headers have gone out


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_form(stage: Stage, cell: Cell, check: Callable[..., None]) -> None:
    form = REQUESTS[cell.shape.name].form
    # A header alone says where a call belongs, and nothing else.
    header_alone = form.ids == "header"
    check(stage, cell, "di" if header_alone else "")
    assert form_of(HttpApplication.sent) == form
    assert not [each for each in stage.recorder.problems() if each.kind != "prompt-type"]
    [generation] = gateway_generations(stage)
    said = HttpApplication.reply.headers["x-litellm-response-cost"]
    cost = COST_OF_STREAM if form.stream else float(said or 0)
    assert generation.cost == pytest.approx(cost, abs=1e-12)
    if not header_alone:
        said = generation.attributes
        assert said["langfuse.trace.name"] == ATTRIBUTES["trace_name"]
        assert said["langfuse.version"] == ATTRIBUTES["version"]
        assert generation.metadata["key"] == ATTRIBUTES["metadata"]["key"]


def _above(link: Link) -> Link:
    span = cast("ReadableSpan", trace.get_current_span())
    assert span.parent is not None
    return link._replace(parent_id=f"{span.parent.span_id:016x}")


# What a link loses on its way: the checks that no longer hold.
LOSSES: dict[str, tuple[Callable[[Link], Link], set[str]]] = {
    "trace": (lambda link: link._replace(trace_id=None, parent_id=None), {"a", "b", "g"}),
    "parent": (_above, {"b", "g"}),
    "prompt": (lambda link: link._replace(prompt=None), {"c"}),
    "user": (lambda link: link._replace(user_id=None), {"d"}),
    "session": (lambda link: link._replace(session_id=None), {"d"}),
    "tags": (lambda link: link._replace(tags=()), {"d"}),
    "environment": (lambda link: link._replace(environment=None), {"i"}),
}


@pytest.mark.parametrize("lost", LOSSES)
def test_what_is_lost_is_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, lost: str, mode: GatewayMode
) -> None:
    change, checks = LOSSES[lost]
    monkeypatch.setattr(HttpApplication, "link", staticmethod(change))
    tried = replace(cell("/chat/completions json body+header prompt", mode), enclosed=True)
    assert wrong(stage, tried) == checks
