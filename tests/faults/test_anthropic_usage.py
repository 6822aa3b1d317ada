"""Generations around calls of the Anthropic SDK: their prompt, and usage that counts once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("anthropic", reason="not in this set of packages")

import tracesplice
from faults.anthropic_calls import ASKED, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer


@pytest.fixture
def counted(make_langfuse: Callable[..., Langfuse]) -> tuple[Langfuse, Callable[[], Any]]:
    """A Langfuse client that counts calls once, and what gives the usage that spans say by name."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    mask = tracesplice.count_usage_once()
    langfuse = make_langfuse(span_exporter=exporter, mask_otel_spans=mask)

    def usage() -> dict[str, Any]:
        langfuse.flush()
        key = "langfuse.observation.usage_details"
        return {
            each.name: (each.attributes or {}).get(key) for each in exporter.get_finished_spans()
        }

    return langfuse, usage


NONE = '{"input": 0, "output": 0, "total": 0}'


@pytest.mark.parametrize("spans", ["the SDK's", "of nobody", "off"])
def test_the_prompt_of_a_generation_around_is_linked_and_counts_once(
    make_anthropic: Callable[..., Any], wire: ModelServer, counted: Any, spans: str
) -> None:
    langfuse, usage = counted
    wire.answer_headers["x-tracesplice-reports"] = "true"
    provider = langfuse._resources.tracer_provider
    traced = {"the SDK's": {"tracer_provider": provider}, "off": False, "of nobody": None}
    client = tracesplice.splice(make_anthropic(open_telemetry=traced[spans]))
    prompt = _prompt()
    with langfuse.start_as_current_observation(
        name="mine", as_type="generation", model="m", prompt=prompt
    ) as own:
        answer = client.messages.create(**ASKED)
        used = {"input": answer.usage.input_tokens, "output": answer.usage.output_tokens}
        own.update(usage_details=used)
    assert link(wire)["prompt"] == {"name": "p", "version": 3, "prompt": ""}
    found = usage()
    assert found["mine"] == NONE
    assert len(found) == (2 if spans == "the SDK's" else 1)
    assert set(found.values()) == {NONE}


def _prompt() -> Any:
    from langfuse.api import Prompt_Text
    from langfuse.model import TextPromptClient

    fields: Any = {"name": "p", "version": 3, "prompt": "x", "labels": [], "tags": [], "config": {}}
    return TextPromptClient(Prompt_Text(**fields))


def test_an_error_that_a_middleware_is_given_counts_nothing(
    make_anthropic: Callable[..., Any], wire: ModelServer, counted: Any
) -> None:
    langfuse, usage = counted
    wire.answer_headers["x-tracesplice-reports"] = "true"

    def twice(asked: Any, send: Any) -> Any:
        answer = send(asked)
        return answer if answer.http_response.is_success else "instead"

    client = make_anthropic(open_telemetry=False)
    if not hasattr(client, "with_middleware"):
        pytest.skip("not in this release")
    client = tracesplice.splice(client.with_middleware(twice))
    with langfuse.start_as_current_observation(
        name="mine", as_type="generation", model="m", output="x"
    ) as own:
        message = {"role": "user", "content": "[[fail:400]]"}
        assert client.messages.create(**{**ASKED, "messages": [message]}) == "instead"
        own.update(usage_details={"input": 4, "output": 5})
    assert usage()["mine"] == '{"input": 4, "output": 5}'
