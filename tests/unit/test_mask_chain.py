"""Our mask and the user's, one after the other, against Langfuse's own exporter."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse._client.span_exporter import LangfuseTransformingSpanExporter
from langfuse.types import MaskOtelSpansParams, MaskOtelSpansResult, OtelSpanPatch
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from tracesplice import _mask_chain
from tracesplice._calls import calls
from tracesplice._langfuse_usage import Usage
from tracesplice._places import place_of
from unit.masking import COST, LLM, USAGE, Spans, applied, key, note

if TYPE_CHECKING:
    from langfuse.types import MaskOtelSpansFunction

COUNTED = {**LLM, "llm.token_count.prompt": 3}
BATCH = Spans({"a": COUNTED, "b": {**LLM, "secret": "s"}}, {})
KEYS = st.sampled_from(
    [USAGE, COST, "langfuse.observation.model.name", "llm.token_count.prompt", "other"]
)
PATCHES = st.none() | st.builds(
    OtelSpanPatch, st.dictionaries(KEYS, st.integers()), st.lists(KEYS) | st.lists(KEYS).map(tuple)
)


@pytest.fixture(autouse=True)
def _a_is_reported(nothing_reported: None) -> None:
    note("a+")


def zeros() -> dict[str, Any]:
    return applied(tracesplice.count_usage_once(), BATCH)["a"]


def test_the_user_s_mask_sees_the_result_of_ours() -> None:
    seen: list[MaskOtelSpansParams] = []
    applied(tracesplice.count_usage_once(then=lambda *, params: seen.append(params)), BATCH)
    [params] = seen
    assert params.spans[key("a")].attributes == zeros()
    assert params.spans[key("b")].attributes == BATCH.attributes["b"]
    assert isinstance(params.spans, MappingProxyType)
    assert isinstance(params.spans[key("a")].attributes, MappingProxyType)


def test_the_user_s_mask_is_asked_where_ours_changes_nothing() -> None:
    calls.clear()
    patches = {key("b"): OtelSpanPatch(delete_attributes=("secret",))}
    mask = tracesplice.count_usage_once(
        then=lambda *, params: MaskOtelSpansResult(span_patches=patches)
    )
    assert applied(mask, BATCH) == {"a": COUNTED, "b": LLM}


@given(PATCHES, PATCHES)
def test_both_together_are_one_after_the_other(
    on_a: OtelSpanPatch | None, on_b: OtelSpanPatch | None
) -> None:
    note("a+")
    theirs = MaskOtelSpansResult(span_patches={key("a"): on_a, key("b"): on_b})

    def then(*, params: MaskOtelSpansParams) -> MaskOtelSpansResult:
        return theirs

    after_ours = Spans(applied(tracesplice.count_usage_once(), BATCH), {})
    expected = applied(then, after_ours)
    assert applied(tracesplice.count_usage_once(then=then), BATCH) == expected


@pytest.mark.parametrize("answer", [None, MaskOtelSpansResult()])
def test_a_mask_that_changes_nothing_leaves_ours(answer: MaskOtelSpansResult | None) -> None:
    mask = tracesplice.count_usage_once(then=lambda *, params: answer)
    assert applied(mask, BATCH)["a"] == zeros() != COUNTED


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("broken", ["_patched", "_both"])
def test_a_fault_of_ours_still_hides_what_the_user_hides(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(_mask_chain, broken, fail)
    patches = {key("b"): OtelSpanPatch(delete_attributes=("secret",))}
    then = tracesplice.count_usage_once(
        then=lambda *, params: MaskOtelSpansResult(span_patches=patches)
    )
    assert "secret" not in applied(then, BATCH)["b"]


def exported(mask: MaskOtelSpansFunction) -> list[dict[str, Any]]:
    """What Langfuse's exporter makes of one generation whose call the gateway reports."""
    memory = InMemorySpanExporter()
    exporter = LangfuseTransformingSpanExporter(
        exporter=memory, media_manager=None, mask_otel_spans=mask
    )
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("langfuse-sdk").start_as_current_span("s") as span:
        span.set_attributes(LLM)
        calls.answered([place_of(span.get_span_context())], True)
    provider.shutdown()
    return [dict(each.attributes or {}) for each in memory.get_finished_spans()]


def test_zeros_are_exported() -> None:
    sets, _ = Usage(LLM).zeroed()
    assert exported(tracesplice.count_usage_once()) == [{**LLM, **sets}]


def fails(_: MaskOtelSpansParams) -> Any:
    raise ValueError("theirs")


def patches_with(patch: Any) -> Any:
    return lambda params: MaskOtelSpansResult(span_patches=dict.fromkeys(params.spans, patch))


@pytest.mark.parametrize(
    "wrong",
    [
        fails,
        lambda _: "no result",
        lambda _: MaskOtelSpansResult(span_patches=[]),  # type: ignore[arg-type]
        lambda _: MaskOtelSpansResult(span_patches={key("unknown"): None}),
        patches_with("no patch"),
        patches_with(OtelSpanPatch(set_attributes=[])),  # type: ignore[arg-type]
        patches_with(OtelSpanPatch(delete_attributes="secret")),
        patches_with(OtelSpanPatch(delete_attributes=3)),  # type: ignore[arg-type]
    ],
)
def test_what_langfuse_drops_for_a_wrong_mask_it_drops_with_ours_too(wrong: Any) -> None:
    def then(*, params: MaskOtelSpansParams) -> Any:
        return wrong(params)

    assert exported(then) == []
    assert exported(tracesplice.count_usage_once(then=then)) == []
