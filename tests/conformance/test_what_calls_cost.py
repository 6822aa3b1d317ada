"""What a call costs in Langfuse is what LiteLLM says, whatever the route and whoever answered.

After ``test_openai.py``: it makes all of Langfuse's generations itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.harness import gateway_generations
from rig.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Callable

    import openai

    from conformance.harness import Stage
    from rig.recorder import Observation

CACHED = {"cache": {"use-cache": True}}
MESSAGES: Any = [{"role": "user", "content": "hello there"}]
ROUTES: dict[str, Callable[[Any], Any]] = {
    "chat": lambda raw: raw.chat.completions.create(model="chat", messages=MESSAGES),
    "responses": lambda raw: raw.responses.create(model="openai-chat", input="hi"),
    "completions": lambda raw: raw.completions.create(model="openai-completion", prompt="hi"),
    "embeddings": lambda raw: raw.embeddings.create(model="openai-embed", input="hi"),
    "images": lambda raw: raw.images.generate(model="image", prompt="hi"),
    "speech": lambda raw: raw.audio.speech.create(model="speech", input="hi", voice="alloy"),
    "transcriptions": lambda raw: raw.audio.transcriptions.create(
        model="transcribe", file=("hello.wav", b"RIFF" + bytes(100))
    ),
    "moderations": lambda raw: raw.moderations.create(model="moderate", input="hi"),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("mode", GatewayMode)
def test_it_is_what_litellm_says(stage: Stage, client: openai.OpenAI, route: str) -> None:
    with stage.langfuse.start_as_current_observation(name="mine"):
        answer = ROUTES[route](client.with_raw_response)
    stage.langfuse.flush()
    [generation] = stage.recorder.wait_for(lambda _: _all(stage, 1))
    said = _cost_said(answer)
    assert generation.cost == pytest.approx(said, abs=1e-12)
    assert sum(each.cost for each in stage.observations()) == pytest.approx(said, abs=1e-12)
    assert not [each.line() for each in stage.observations() if each.priced or each.estimated]


@pytest.mark.parametrize("mode", GatewayMode)
def test_an_answer_from_the_gateways_cache_costs_nothing(
    stage: Stage, mode: GatewayMode, client: openai.OpenAI
) -> None:
    messages: Any = [{"role": "user", "content": f"cached in mode {mode.value}"}]
    costs = []
    for name in ("first", "second"):
        with stage.langfuse.start_as_current_observation(
            name=name, as_type="generation", model="chat", input=messages
        ) as own:
            answer = client.with_raw_response.chat.completions.create(
                model="chat", messages=messages, extra_body=CACHED
            )
            used = answer.parse().usage
            assert used is not None
            own.update(usage_details={"total": used.total_tokens}, cost_details={"total": 1.0})
        costs.append(_cost_said(answer))
    stage.langfuse.flush()
    # LITELLM_OTEL_V2 makes no generation of an answer from the cache.
    reported = 1 if mode is GatewayMode.LANGFUSE_OTEL_V2 else 2
    stage.recorder.wait_for(lambda _: _all(stage, reported))
    assert costs[1] == 0 < costs[0]
    assert sum(each.cost for each in stage.observations()) == pytest.approx(costs[0])


def _cost_said(answer: Any) -> float:
    # LiteLLM says nothing where the cost is 0.
    return float(answer.headers.get("x-litellm-response-cost", 0))


def _all(stage: Stage, count: int) -> list[Observation] | None:
    found = gateway_generations(stage)
    return found if len(found) == count else None
