"""What holds in a gateway without ``tracesplice-litellm``: a few forms in each mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.conftest import started
from conformance.curl import CHAT, Caller
from conformance.requests import cell, wrong
from tracesplice_testing.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.harness import Stage
    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Recorder

FORMS = (
    "/chat/completions json body+header prompt",
    "/chat/completions json stream body+header prompt",
    "/responses json body+header prompt",
)
# LiteLLM drops the prompt (c) in its OpenTelemetry modes, and reports spans (j) of its own there;
# everything is in an environment (i) of its own.
WRONG = {
    GatewayMode.LANGFUSE: {"i"},
    GatewayMode.LANGFUSE_OTEL: {"c", "i", "j"},
    GatewayMode.LANGFUSE_OTEL_V2: {"c", "i", "j"},
}


@pytest.fixture(scope="module")
def plain(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    options: dict[str, Any] = {"langfuse_env": recorder.env(), "model_url": model.url}
    yield from started({mode: Gateway(mode, **options) for mode in GatewayMode})


@pytest.mark.parametrize("form", FORMS)
def test_holds_but_for_what_the_adapter_is_for(
    stage: Stage, plain: dict[GatewayMode, Gateway], form: str, mode: GatewayMode
) -> None:
    assert wrong(replace(stage, gateways=plain), cell(form, mode)) == WRONG[mode]


def test_langfuse_otel_says_neither_cost_nor_the_reason_of_a_failure(
    recorder: Recorder, plain: dict[GatewayMode, Gateway]
) -> None:
    caller = Caller(plain[GatewayMode.LANGFUSE_OTEL], recorder)
    failed = caller.another()
    caller.post(CHAT)
    failed.post({**CHAT, "model": "broken"})
    [generation], [error] = caller.generations(), failed.generations()
    assert "langfuse.observation.cost_details" not in generation.attributes
    assert (error.level, error.status_message) == ("ERROR", None)


def test_langfuse_reports_what_is_not_sampled(
    recorder: Recorder, plain: dict[GatewayMode, Gateway]
) -> None:
    caller = Caller(plain[GatewayMode.LANGFUSE], recorder)
    sent = f"{caller.traceparent[:-2]}00"
    caller.post({**CHAT, "litellm_metadata": caller.metadata}, traceparent=sent)
    assert caller.generations()
