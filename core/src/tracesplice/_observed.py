"""An observation that is being exported, with what is known of it and of those inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracesplice._calls import Known, calls
from tracesplice._inside import Inside, insides
from tracesplice._langfuse_types import has_model, is_generation
from tracesplice._langfuse_usage import Usage
from tracesplice._observation import SDK_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langfuse.types import OtelSpanData

    from tracesplice._calls import SpanKey
    from tracesplice._inside import Told
    from tracesplice._used import Used

__all__ = ["NOTHING_INSIDE", "NO_CALL", "Observed"]

NO_CALL, NOTHING_INSIDE = Known(), Inside()
_NOTHING_KNOWN: tuple[Used | None, Used | None] = (None, None)


class Observed:
    """An observation that is being exported.

    Args:
        span: Its span.
        around: The observation around it, which may be exported later.

    Attributes:
        place: Its ids.
        known: What is known of the calls made in it.
        inside: What is known of the observations in it.
        usage: What it says was used.
        is_generation: Whether Langfuse takes it for a call of a model.
        same: What is reported and what is kept of generations directly inside: of the same calls.
        other: What is reported and what is kept of all else inside.
    """

    def __init__(self, span: OtelSpanData, around: SpanKey | None) -> None:
        self.span, self.around = span, around
        self.place = span.trace_id, span.span_id
        self.known = calls.find(self.place) or NO_CALL
        self.inside = insides.find(self.place) or NOTHING_INSIDE
        self.usage = Usage(span.attributes)
        self.is_generation = is_generation(span.attributes)
        self.same = self.other = _NOTHING_KNOWN
        if self.inside is not NOTHING_INSIDE:
            self.same = self.inside.all(describes=True)
            self.other = self.inside.all(describes=False)

    @property
    def is_users(self) -> bool:
        """Whether Langfuse's SDK made it, so that it may say what the user wants it to."""
        return self.span.instrumentation_scope_name == SDK_SCOPE

    @property
    def linked(self) -> bool:
        """Whether a call that it describes was linked."""
        return self.known.linked or self.inside.linked

    @property
    def reported(self) -> bool:
        """Whether the gateway reports a call that it describes."""
        return self.known.reported or self.inside.reported

    @property
    def kept(self) -> bool:
        """Whether a call that it describes is the client's to count."""
        return self.known.kept or self.inside.kept

    @property
    def makes_reported_calls(self) -> bool:
        """Whether calls were made in it that no span describes, all of which are reported."""
        return self.known.own and self.known.reported and not self.known.kept

    @property
    def counts(self) -> bool:
        """Whether Langfuse counts anything of it; of a model without usage it does so itself."""
        if self.usage.used:
            return True
        return self.usage.tokens is None and has_model(self.span.attributes)

    def adopt(self, found: Mapping[str, Told]) -> None:
        """Take observations for inside this one that nothing else says so of."""
        self.inside = insides.around(self.place)
        for span_id, told in found.items():
            self.inside.tell(span_id, told)
