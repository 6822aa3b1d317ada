"""Tells the output of a call that was answered from what is written of one that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["has_output"]

_KEYS = ("langfuse.observation.output", "output.value", "gen_ai.completion", "gen_ai.output")
_SAYS = ("content", "tool_calls", "additional_kwargs")


def has_output(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span has an output, other than that of a failed run of LangChain's.

    Such a run ends with a result that has no generation, or one whose message has no content but
    the error's status and headers (``_generate_response_from_error`` in
    https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/language_models/chat_models.py).
    OpenInference writes that result as the output.
    """
    return any(key.startswith(_KEYS) and not _is_empty(value) for key, value in attributes.items())


def _is_empty(output: object) -> bool:
    try:
        result = json.loads(output) if isinstance(output, str) else None
    except (ValueError, RecursionError):
        return False
    if not isinstance(result, dict) or not isinstance(result.get("generations"), list):
        return False
    return not any(map(_says_something, _flat(result["generations"])))


def _flat(generations: object) -> Iterator[object]:
    if isinstance(generations, list):
        for each in generations:
            yield from _flat(each)
    else:
        yield generations


def _says_something(generation: object) -> bool:
    if not isinstance(generation, Mapping):
        return True
    message = generation.get("message")
    said = message.get("kwargs") if isinstance(message, Mapping) else None
    if isinstance(said, Mapping) and any(said.get(key) for key in _SAYS):
        return True
    return bool(generation.get("text"))
