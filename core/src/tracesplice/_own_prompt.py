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

    from tracesplice._plain import Plain
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
    own = _checked(plain(said["prompt_name"]), plain(said["prompt_version"]))
    around = ambient(otel_context.get_current())
    return None if own == _checked(around.prompt_name, around.prompt_version) else own


def _checked(name: Plain, version: Plain) -> PromptRef | None:
    return None if name is None else checked_prompt(name, version)
