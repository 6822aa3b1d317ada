"""Tools that only set headers, as Claude Code does: its calls are linked by them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from langfuse import propagate_attributes

import tracesplice
from conformance.checks import ATTRIBUTES, ENVIRONMENT
from conformance.harness import gateway_generations
from shapes.shape import AMBIENT

if TYPE_CHECKING:
    from conformance.harness import Stage
    from tracesplice_testing.gateway import GatewayMode


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_captured_links_a_tool_s_calls(
    stage: Stage, mode: GatewayMode, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    stage.clear()
    gateway, prompt = stage.gateways[mode], stage.prompts[AMBIENT]
    with (
        propagate_attributes(prompt=prompt, **ATTRIBUTES),
        stage.langfuse.start_as_current_observation(name="review") as span,
    ):
        carrier = tracesplice.capture()
    headers = "\n".join(f"{name}: {text}" for name, text in carrier.items())
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", headers)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", gateway.url)
    asked: Any = {"model": "claude", "max_tokens": 9, "stream": stream}
    asked["messages"] = [{"role": "user", "content": "question-1"}]
    with anthropic.Anthropic(auth_token=gateway.key, max_retries=0) as tool:  # not spliced
        answer = tool.messages.create(**asked)
        if stream:
            assert list(answer)
    stage.langfuse.flush()
    [generation] = stage.recorder.wait_for(lambda _: gateway_generations(stage) or None)
    assert (generation.trace_id, generation.parent_id) == (span.trace_id, span.id)
    assert (generation.prompt_name, generation.prompt_version) == (prompt.name, prompt.version)
    who = (generation.user_id, generation.session_id, generation.environment)
    assert who == (ATTRIBUTES["user_id"], ATTRIBUTES["session_id"], ENVIRONMENT)
    assert set(ATTRIBUTES["tags"]) <= set(generation.tags)
    assert generation.cost
