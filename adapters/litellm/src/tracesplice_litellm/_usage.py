"""LiteLLM's own figures of a call, where what it reports to Langfuse says something else.

Three faults of LiteLLM:

- ``langfuse_otel`` gives the cost by a name that Langfuse does not read (``llm.cost.total``), so
  that Langfuse prices the call, a cached answer too, by its own table
  (https://github.com/BerriAI/litellm/blob/main/litellm/integrations/arize/_utils.py);
- before 1.108, mode ``langfuse`` reads the tokens of a streamed Responses answer by the names of
  Chat Completions, and reports 0
  (https://github.com/BerriAI/litellm/blob/main/litellm/integrations/langfuse/langfuse.py);
- mode ``langfuse`` reports images and speech twice, from two threads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tracesplice_litellm._call import current
from tracesplice_litellm._guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COST", "NOTHING", "USAGE", "cost_details", "missing_usage", "remember_usage"]

COST = "langfuse.observation.cost_details"
USAGE = "langfuse.observation.usage_details"

NOTHING = {COST: '{"total": 0}', USAGE: '{"input": 0, "output": 0, "total": 0}'}
"""For what is reported twice; without usage and cost, Langfuse would estimate them."""

_COUNTS = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}


@guarded("the tokens of a call")
def remember_usage(kwargs: Mapping[str, Any]) -> None:
    """Note how many tokens LiteLLM counted; ``kwargs`` is what it hands to its logging hooks."""
    call, payload = current(), kwargs.get("standard_logging_object")
    if call is not None and payload:
        call.usage = {name: int(payload.get(key) or 0) for name, key in _COUNTS.items()}


def missing_usage(usage: Mapping[str, int], reported: object) -> str | None:
    """Return what to report in place of ``reported``, None where that says something itself."""
    if not isinstance(reported, str) or not any(usage.values()):
        return None
    return None if any(json.loads(reported).values()) else json.dumps(usage)


def cost_details(kwargs: Mapping[str, Any]) -> str | None:
    """Return the cost LiteLLM found, in dollars, as Langfuse reads it; None if it found none."""
    cost = kwargs.get("response_cost")
    known = isinstance(cost, (int, float)) and not isinstance(cost, bool) and cost >= 0
    return json.dumps({"total": cost}) if known else None
