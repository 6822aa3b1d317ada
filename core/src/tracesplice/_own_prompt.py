"""The prompt that an observation is linked to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from tracesplice._call_attributes import checked_prompt
from tracesplice._here import ambient, prompt_on
from tracesplice._observation import attributes
from tracesplice._plain import plain

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from tracesplice_wire import PromptRef

__all__ = ["own_prompt"]


def own_prompt(span: Span) -> PromptRef | None:
    """Return the prompt version ``span`` itself is linked to.

    Returns:
        None where it is linked to none, or only to the ambient one.
    """
    said = prompt_on(span, attributes(span))
    if not said:
        return None
    own = checked_prompt(plain(said["prompt_name"]), plain(said["prompt_version"]))
    return None if own == ambient(otel_context.get_current()).link.prompt else own
