"""Spans that an instrumentation takes for a model's and that stand for no call to one.

A method that prepares a request, or that leaves it to another method with a span of its own, looks
like a call of the same model without usage. Langfuse would count its tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice._langfuse_usage import says_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langfuse.types import OtelSpanData

__all__ = ["ignored_spans", "is_ignored"]

_known: set[tuple[str | None, str]] = set()


def ignored_spans(scope: str, names: Iterable[str]) -> None:
    """Declare spans that stand for no call; one that says that something was used is trusted.

    Args:
        scope: The instrumentation scope they are made in.
        names: Their names.
    """
    _known.update((scope, name) for name in names)


def is_ignored(span: OtelSpanData) -> bool:
    """Return whether ``span`` stands for no call."""
    known = (span.instrumentation_scope_name, span.name) in _known
    return known and not says_usage(span.attributes)
