"""Our mask and the user's, one after the other, against Langfuse's own exporter."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langfuse._client.span_exporter import LangfuseTransformingSpanExporter
from langfuse.types import (
    MaskOtelSpansParams,
    MaskOtelSpansResult,
    OtelSpanIdentifier,
    OtelSpanPatch,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from tracesplice import _mask_chain
from tracesplice._calls import calls
from tracesplice._langfuse_usage import Usage
from unit.masking import LLM, TRACE, Spans, applied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse.types import MaskOtelSpansFunction

BATCH = Spans({"a": LLM, "b": {**LLM, "secret": "s"}}, {})
KEYS = st.sampled_from(
    [
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "langfuse.observation.model.name",
        "llm.token_count.prompt",
        "other",
    ]
)
PATCHES = st.none() | st.builds(
    OtelSpanPatch, st.dictionaries(KEYS, st.integers()), st.lists(KEYS) | st.lists(KEYS).map(tuple)
)


@pytest.fixture(autouse=True)
def _a_is_reported() -> Iterator[None]:
    calls.clear()
    calls.answered([(TRACE, "a")], True)
    yield
    calls.clear()


def key(span_id: str) -> OtelSpanIdentifier:
    return OtelSpanIdentifier(trace_id=TRACE, span_id=span_id)


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


@given(PATCHES, PATCHES)
def test_both_together_are_one_after_the_other(
    on_a: OtelSpanPatch | None, on_b: OtelSpanPatch | None
) -> None:
    calls.answered([(TRACE, "a")], True)
    theirs = MaskOtelSpansResult(span_patches={key("a"): on_a, key("b"): on_b})

    def then(*, params: MaskOtelSpansParams) -> MaskOtelSpansResult:
        return theirs

    after_ours = Spans(applied(tracesplice.count_usage_once(), BATCH), {})
    expected = applied(then, after_ours)
    assert applied(tracesplice.count_usage_once(then=then), BATCH) == expected


def test_a_mask_that_changes_nothing_leaves_ours() -> None:
    def nothing(*, params: MaskOtelSpansParams) -> None:
        return None

    assert applied(tracesplice.count_usage_once(then=nothing), BATCH)["a"] == zeros()
    empty = MaskOtelSpansResult()
    assert (
        applied(tracesplice.count_usage_once(then=lambda *, params: empty), BATCH)["a"] == zeros()
    )


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


class TestWithLangfuse:
    """What Langfuse does with a user's mask that fails stays what it does without ours."""

    @pytest.fixture
    def exported(self) -> Callable[[MaskOtelSpansFunction], list[dict[str, Any]]]:
        def export(mask: MaskOtelSpansFunction) -> list[dict[str, Any]]:
            memory = InMemorySpanExporter()
            exporter = LangfuseTransformingSpanExporter(
                exporter=memory, media_manager=None, mask_otel_spans=mask
            )
            provider = TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(exporter))
            with provider.get_tracer("langfuse-sdk").start_as_current_span("s") as span:
                span.set_attributes(LLM)
                own = span.get_span_context()
                calls.answered([(f"{own.trace_id:032x}", f"{own.span_id:016x}")], True)
            provider.shutdown()
            return [dict(each.attributes or {}) for each in memory.get_finished_spans()]

        return export

    def test_zeros_are_exported(
        self, exported: Callable[[MaskOtelSpansFunction], list[dict[str, Any]]]
    ) -> None:
        sets, _ = Usage(LLM).zeroed()
        assert exported(tracesplice.count_usage_once()) == [{**LLM, **sets}]

    def test_an_error_drops_the_batch(
        self, exported: Callable[[MaskOtelSpansFunction], list[dict[str, Any]]]
    ) -> None:
        def fail(*, params: MaskOtelSpansParams) -> None:
            raise ValueError("theirs")

        assert exported(fail) == []
        assert exported(tracesplice.count_usage_once(then=fail)) == []

    @pytest.mark.parametrize(
        "answer",
        [
            "no result",
            MaskOtelSpansResult(span_patches=[]),  # type: ignore[arg-type]
            MaskOtelSpansResult(span_patches={key("unknown"): None}),
        ],
    )
    def test_an_invalid_answer_drops_the_batch(
        self, exported: Callable[[MaskOtelSpansFunction], list[dict[str, Any]]], answer: Any
    ) -> None:
        assert exported(lambda *, params: answer) == []
        assert exported(tracesplice.count_usage_once(then=lambda *, params: answer)) == []

    @pytest.mark.parametrize(
        "patch",
        [
            "no patch",
            OtelSpanPatch(set_attributes=[]),  # type: ignore[arg-type]
            OtelSpanPatch(delete_attributes="secret"),
            OtelSpanPatch(delete_attributes=3),  # type: ignore[arg-type]
        ],
    )
    def test_an_invalid_patch_drops_the_span(
        self, exported: Callable[[MaskOtelSpansFunction], list[dict[str, Any]]], patch: Any
    ) -> None:
        def then(*, params: MaskOtelSpansParams) -> MaskOtelSpansResult:
            return MaskOtelSpansResult(span_patches=dict.fromkeys(params.spans, patch))

        assert exported(then) == []
        assert exported(tracesplice.count_usage_once(then=then)) == []
