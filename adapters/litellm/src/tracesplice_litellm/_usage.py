"""LiteLLM's own figures of a call, where what it reports to Langfuse says something else.

Faults of LiteLLM that this makes up for:

- ``langfuse_otel`` gives the cost by a name that Langfuse does not read (``llm.cost.total``), so
  that Langfuse prices the call, a cached answer too, by its own table
  (https://github.com/BerriAI/litellm/blob/main/litellm/integrations/arize/_utils.py);
- mode ``langfuse`` gives the cost only of an answer that names its tokens, so not of speech
  (https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py);
- before 1.108 it reads the tokens of a streamed Responses answer by the names of Chat Completions,
  and reports 0;
- a failed call, and one of a pass-through endpoint that LiteLLM cannot read, have neither, and
  Langfuse then counts and prices their text.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._call import RELAYED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COST", "NOTHING", "USAGE", "lacking"]

COST = "langfuse.observation.cost_details"
USAGE = "langfuse.observation.usage_details"

NOTHING: Mapping[str, str] = MappingProxyType(
    {COST: '{"total": 0}', USAGE: '{"input": 0, "output": 0, "total": 0}'}
)
"""For what somebody else counts; without usage and cost, Langfuse would estimate them."""

_COUNTS = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}


def lacking(details: Mapping[str, Any], reported: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures that a generation does not have, as attributes of its span.

    Args:
        details: What LiteLLM hands to its loggers.
        reported: The attributes it has.
    """
    known = {COST: _cost(details), USAGE: _usage(details)}
    if details.get("exception") is not None or details.get("call_type") == RELAYED:
        known = {name: figure or NOTHING[name] for name, figure in known.items()}
    return {
        name: figure
        for name, figure in known.items()
        if figure is not None and not _says(name, reported.get(name))
    }


def _says(name: str, figures: object) -> bool:
    # A cost of 0 is one; 0 tokens may mean that LiteLLM did not find them.
    if not isinstance(figures, str):
        return False
    return name == COST or any(json.loads(figures).values())


def _usage(details: Mapping[str, Any]) -> str | None:
    payload = details.get("standard_logging_object") or {}
    usage = {name: int(payload.get(key) or 0) for name, key in _COUNTS.items()}
    return json.dumps(usage) if any(usage.values()) else None


def _cost(details: Mapping[str, Any]) -> str | None:
    cost = details.get("response_cost")
    known = isinstance(cost, (int, float)) and not isinstance(cost, bool) and cost >= 0
    return json.dumps({"total": cost}) if known else None
