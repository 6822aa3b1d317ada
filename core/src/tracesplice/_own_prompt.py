"""The prompt that an observation is linked to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from tracesplice._call_attributes import checked_prompt
from tracesplice._here import ambient, prompt_on
from tracesplice._observation import attributes
from tracesplice._plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from tracesplice_wire import PromptRef

__all__ = ["own_prompt"]


def own_prompt(span: Span) -> PromptRef | None:
    """Return the prompt version ``span`` itself is linked to.

    Returns:
        None where it is linked to none, or only to the ambient one.
    """
    linked = _checked(prompt_on(span, attributes(span)))
    return None if linked == _checked(ambient(otel_context.get_current())) else linked


def _checked(values: Mapping[str, Any]) -> PromptRef | None:
    if values.get("prompt_name") is None:
        return None
    return checked_prompt(plain(values["prompt_name"]), plain(values["prompt_version"]))
