"""Langfuse prompts as the few values that link them, or in full."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypedDict, cast

from tracesplice._errors import TracespliceError
from tracesplice_wire import MAX_VERSION, PromptRef, shown, shown_kind
from tracesplice_wire import prompt_ref as checked_ref

__all__ = ["name_and_version", "prompt_metadata", "prompt_ref"]

_HOW_TO = 'Pass what langfuse.get_prompt("name") returns, or {"name": "...", "version": 3}.'
_MARK = ("type", "message")
_CONTENT_FIELDS = ("config", "labels", "tags", "commit_message")


class PromptMetadata(TypedDict, total=False):
    """A prompt as LiteLLM's metadata takes it; ``prompt`` is empty unless content is asked for."""

    name: str
    version: int
    prompt: str | list[dict[str, Any]]
    config: Any
    labels: list[str]
    tags: list[str]
    commit_message: str


def prompt_metadata(prompt: object, *, content: bool = False) -> PromptMetadata:
    """Describe a Langfuse prompt for a gateway's request metadata.

    Name and version are enough to link; LiteLLM's ``langfuse`` callback insists on a ``prompt``
    field beside them, so it is there and empty
    (https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py,
    ``_add_prompt_to_generation_params``).

    Args:
        prompt: A prompt client from ``langfuse.get_prompt`` (text or chat, with or without
            placeholders), or a mapping or object with ``name`` and ``version``.
        content: Add template, config, labels, tags and commit message. It makes every request
            larger and links nothing more.

    Returns:
        A new JSON-safe dict; empty for a fallback prompt, which Langfuse never links.

    Raises:
        TracespliceError: ``prompt`` is no prompt, or Langfuse would not link it.
    """
    ref = prompt_ref(prompt)
    if ref is None:
        return {}
    compact = cast("PromptMetadata", ref.metadata)
    return {**compact, **_content(prompt)} if content else compact


def prompt_ref(prompt: object) -> PromptRef | None:
    """Read name and version off anything Langfuse takes for a prompt.

    Returns:
        None for a fallback prompt.

    Raises:
        TracespliceError: ``prompt`` is no prompt, or Langfuse would not link it.
    """
    if _field(prompt, "is_fallback"):
        return None
    name, version = _field(prompt, "name"), _field(prompt, "version")
    ref = checked_ref(name, version)
    if ref is not None:
        return ref
    if not isinstance(name, str) or not name:
        raise TracespliceError(f"Not a Langfuse prompt: {shown_kind(prompt)}. {_HOW_TO}")
    raise TracespliceError(
        f"Prompt {shown(name)} has version {shown(version)}; Langfuse links integers from 1 to "
        f"{MAX_VERSION} only, and names of at most 200 characters. {_HOW_TO}"
    )


def name_and_version(prompt: object) -> tuple[object, object]:
    """Return what stands where a prompt has its name and its version; two None for a fallback."""
    if _field(prompt, "is_fallback"):
        return None, None
    return _field(prompt, "name"), _field(prompt, "version")


def _content(prompt: object) -> PromptMetadata:
    content: PromptMetadata = {}
    template = _field(prompt, "prompt")
    if template is not None:
        content["prompt"] = (
            template if isinstance(template, str) else [_message(message) for message in template]
        )
    for field in _CONTENT_FIELDS:
        value = _field(prompt, field)
        if value not in (None, [], {}):
            content[field] = deepcopy(value)  # type: ignore[literal-required]
    return content


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    # A placeholder has a name and no role: what the manual recipe trips over. Langfuse's prompt
    # client marks the others "message", which Langfuse's own model of a prompt rejects.
    return {key: value for key, value in dict(message).items() if (key, value) != _MARK}


def _field(prompt: object, name: str) -> Any:
    return prompt.get(name) if isinstance(prompt, Mapping) else getattr(prompt, name, None)
