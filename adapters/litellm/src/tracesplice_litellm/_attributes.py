"""What a link looks like as attributes of a span.

The names: https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/attributes.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracesplice_litellm._link import Link

__all__ = ["TYPE", "Attributes", "for_generation", "for_observation"]

TYPE = "langfuse.observation.type"

Attributes = dict[str, "str | int | Sequence[str]"]


def for_observation(link: Link) -> Attributes:
    """Return what each observation of a call carries, so that its trace does not change."""
    found: Mapping[str, str | Sequence[str] | None] = {
        "user.id": link.user_id,
        "session.id": link.session_id,
        "langfuse.trace.tags": link.tags,
        "langfuse.trace.name": link.trace_name,
        "langfuse.environment": link.environment,
        "langfuse.version": link.version,
        **{f"langfuse.trace.metadata.{key}": text for key, text in link.trace_metadata.items()},
    }
    return {name: value for name, value in found.items() if value}


def for_generation(link: Link) -> Attributes:
    """Return what the generation of a call carries: the same, and its prompt."""
    found = for_observation(link)
    if link.prompt is not None:
        found["langfuse.observation.prompt.name"] = link.prompt.name
        found["langfuse.observation.prompt.version"] = link.prompt.version
    return found
