"""Two masks of observations, one after the other, as the one that Langfuse takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tracesplice_wire import guarded

if TYPE_CHECKING:
    from langfuse.types import (
        MaskOtelSpansFunction,
        MaskOtelSpansParams,
        MaskOtelSpansResult,
        OtelSpanData,
        OtelSpanIdentifier,
        OtelSpanPatch,
    )

    Patches = dict[OtelSpanIdentifier, OtelSpanPatch | None]

__all__ = ["as_result", "one_after_the_other"]


def as_result(patches: Patches) -> MaskOtelSpansResult | None:
    """Return ``patches`` as Langfuse takes them; None where nothing changes."""
    from langfuse.types import MaskOtelSpansResult

    return MaskOtelSpansResult(span_patches=patches) if patches else None


def one_after_the_other(
    params: MaskOtelSpansParams, ours: Patches, then: MaskOtelSpansFunction
) -> MaskOtelSpansResult | None:
    """Run the user's mask on what ours made of a batch.

    Args:
        params: The batch.
        ours: What our mask changes in it.
        then: The user's mask.

    Returns:
        Both changes; the user's own answer where it is nothing that Langfuse would take.

    Raises:
        Exception: Whatever ``then`` raises. Langfuse then drops the batch, because it cannot know
            what was to be hidden; that stays as it is.
    """
    if not ours:
        return then(params=params)
    theirs = then(params=_masked(params, ours) or params)
    return _merged(ours, theirs) or theirs


@guarded("the zeros that your own mask is to see")
def _masked(params: MaskOtelSpansParams, patches: Patches) -> MaskOtelSpansParams:
    spans = {key: _patched(span, patches.get(key)) for key, span in params.spans.items()}
    return replace(params, spans=MappingProxyType(spans))


def _patched(span: OtelSpanData, patch: OtelSpanPatch | None) -> OtelSpanData:
    if patch is None:
        return span
    kept = {k: v for k, v in span.attributes.items() if k not in patch.delete_attributes}
    return replace(span, attributes=MappingProxyType({**kept, **patch.set_attributes}))


@guarded("the zeros on a batch of observations, whose usage may count twice")
def _merged(ours: Patches, theirs: Any) -> MaskOtelSpansResult | None:
    from langfuse.types import MaskOtelSpansResult

    if theirs is None:
        return as_result(ours)
    if not isinstance(theirs, MaskOtelSpansResult) or not isinstance(theirs.span_patches, Mapping):
        return None
    both = {**ours, **theirs.span_patches}
    for key, first in ours.items():
        both[key] = _both(first, both[key])
    return as_result(both)


def _both(first: Any, second: Any) -> Any:
    """Merge two patches of one span; Langfuse deletes first and sets then."""
    if first is second or second is None:
        return first
    if not _is_valid(second):
        return second  # for Langfuse to say what becomes of the span
    kept = {k: v for k, v in first.set_attributes.items() if k not in second.delete_attributes}
    return replace(
        second,
        set_attributes={**kept, **second.set_attributes},
        delete_attributes=(*first.delete_attributes, *second.delete_attributes),
    )


def _is_valid(patch: Any) -> bool:
    from langfuse.types import OtelSpanPatch

    if not isinstance(patch, OtelSpanPatch):
        return False
    given: tuple[object, object] = (patch.set_attributes, patch.delete_attributes)
    return isinstance(given[0], Mapping) and isinstance(given[1], (list, tuple))
