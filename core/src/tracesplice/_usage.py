"""``count_usage_once``: the client's observations report zero for what the gateway reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from tracesplice._batch import UNREAD, Batch
from tracesplice._calls import calls
from tracesplice._errors import TracespliceError
from tracesplice._inside import insides
from tracesplice._mask_chain import as_result, one_after_the_other
from tracesplice._settle import pass_on, settle
from tracesplice_wire import fault, guarded, shown

if TYPE_CHECKING:
    from langfuse.types import (
        MaskOtelSpansFunction,
        MaskOtelSpansParams,
        MaskOtelSpansResult,
    )

    from tracesplice._mask_chain import Patches

__all__ = ["count_usage_once"]

Owner = Literal["gateway", "client"]
"""Whose figures count."""

_HOW_TO = "Langfuse(mask_otel_spans=tracesplice.count_usage_once({}))"


def count_usage_once(
    *, then: MaskOtelSpansFunction | None = None, owner: Owner = "gateway"
) -> MaskOtelSpansFunction:
    """Make a mask that counts each call once: ``Langfuse(mask_otel_spans=count_usage_once())``.

    The gateway's figures are the truth: it knows caches, fallbacks and negotiated prices. Of a call
    that was linked and answered, the client's generation, and those directly around it, keep model,
    prompt, input, output and times, and say that they used and cost nothing. A gateway with our
    adapter says for each call whether it reports it; any other is trusted to report every call.

    Args:
        then: A mask of your own, to run on the result.
        owner: "gateway", or "client" where the gateway does not report to Langfuse: then nothing
            is changed.

    Returns:
        A function for ``langfuse.Langfuse(mask_otel_spans=...)``.

    Raises:
        TracespliceError: An argument is none of these.
    """
    _check(then, owner)
    calls.is_used = True

    def mask(*, params: MaskOtelSpansParams) -> MaskOtelSpansResult | None:
        ours = (_patches(params) if owner == "gateway" else None) or {}
        if then is not None:
            return one_after_the_other(params, ours, then)
        return as_result(ours)

    vars(mask)["owner"] = owner  # `tracesplice doctor --app` reads it
    return mask


def _check(then: object, owner: object) -> None:
    if owner not in get_args(Owner):
        here, not_here = _HOW_TO.format(""), _HOW_TO.format('owner="client"')
        raise TracespliceError(
            f"owner={shown(owner)} is neither 'gateway' nor 'client'. Where the gateway reports to "
            f"Langfuse, type {here}; where it does not, {not_here}."
        )
    if then is not None and not callable(then):
        raise TracespliceError(
            f"then={shown(then)} is no function. Pass your own mask without calling it: "
            f"{_HOW_TO.format('then=my_mask')}."
        )


@guarded("the zeros on a batch of observations, whose usage may count twice")
def _patches(params: MaskOtelSpansParams) -> Patches:
    from langfuse.types import OtelSpanPatch

    # Langfuse's keys take a call of Python's for each look-up.
    keys = {(span.trace_id, span.span_id): key for key, span in params.spans.items()}
    spans = dict(zip(keys, params.spans.values(), strict=True))
    batch = Batch(spans)
    patches: Patches = {}
    for place in batch.inside_out():
        span, zeros = spans[place], None
        try:
            if batch.counts(place) or calls.find(place):
                zeros = settle(span, batch.around(place))
            elif inside := insides.find(place):
                zeros = pass_on(span, inside, batch.around(place))
        except Exception:  # noqa: BLE001  (`fault` logs it, or raises it)
            fault(f"{__name__}._patches", UNREAD)
        if zeros is not None:
            patches[keys[place]] = OtelSpanPatch(*zeros)
        insides.note_exported(place, span.parent_span_id)
    calls.note_exported(keys)
    return patches
