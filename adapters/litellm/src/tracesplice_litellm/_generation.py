"""What a link, and LiteLLM's own figures of a call, look like as attributes of a span.

The names: https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/attributes.py.
The figures make up for faults of LiteLLM:

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
    from collections.abc import Mapping, Sequence

    from tracesplice_wire import Link

__all__ = [
    "COST",
    "ENVIRONMENT",
    "NOTHING",
    "TYPE",
    "USAGE",
    "generation_attributes",
    "missing_figures",
    "trace_attributes",
]

TYPE = "langfuse.observation.type"
ENVIRONMENT = "langfuse.environment"
COST = "langfuse.observation.cost_details"
USAGE = "langfuse.observation.usage_details"

NOTHING: Mapping[str, str] = MappingProxyType(
    {COST: '{"total": 0}', USAGE: '{"input": 0, "output": 0, "total": 0}'}
)
"""For what somebody else counts; without usage and cost, Langfuse would estimate them."""

_COUNTS = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}


def trace_attributes(link: Link) -> dict[str, str | int | Sequence[str]]:
    """Return what each observation of a call carries, so that its trace does not change."""
    found = {
        "user.id": link.user_id,
        "session.id": link.session_id,
        "langfuse.trace.tags": link.tags,
        "langfuse.trace.name": link.trace_name,
        ENVIRONMENT: link.environment,
        "langfuse.version": link.version,
    }
    for key, text in link.metadata:
        found[f"langfuse.trace.metadata.{key}"] = text
    return {name: value for name, value in found.items() if value}


def generation_attributes(link: Link) -> dict[str, str | int | Sequence[str]]:
    """Return what the generation of a call carries: the same, and its prompt."""
    found = trace_attributes(link)
    if link.prompt is not None:
        found["langfuse.observation.prompt.name"] = link.prompt.name
        found["langfuse.observation.prompt.version"] = link.prompt.version
    return found


def missing_figures(details: Mapping[str, Any], reported: Mapping[str, Any]) -> dict[str, str]:
    """Return the usage and cost that a generation does not have, as attributes of its span.

    Args:
        details: What LiteLLM hands to its loggers.
        reported: The attributes it has.
    """
    is_empty = details.get("exception") is not None or details.get("call_type") == RELAYED
    found = {COST: NOTHING[COST], USAGE: NOTHING[USAGE]} if is_empty else {}
    cost, usage = details.get("response_cost"), reported.get(USAGE)
    if isinstance(cost, (int, float)) and not isinstance(cost, bool) and cost >= 0:
        found[COST] = json.dumps({"total": cost})
    payload = details.get("standard_logging_object") or {}
    tokens = {name: int(payload.get(key) or 0) for name, key in _COUNTS.items()}
    if any(tokens.values()):
        found[USAGE] = json.dumps(tokens)
        if cost is None and details.get("exception") is None:
            found.pop(COST, None)  # LiteLLM knows no price, but Langfuse may
    if isinstance(reported.get(COST), str):
        found.pop(COST, None)
    # A cost of 0 is one; 0 tokens may mean that LiteLLM did not find them.
    if isinstance(usage, str) and any(json.loads(usage).values()):
        found.pop(USAGE, None)
    return found
