"""Brings answers into a form that two runs of the same call share."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

__all__ = ["comparable"]

_VOLATILE = {
    *("id", "created", "created_at", "completed_at", "item_id", "call_id", "tool_call_id"),
    "response_cost",  # LiteLLM's SDK works it out beside the call: now and then it is late
}
_IDS = re.compile(r"\b(chatcmpl|resp|msg|call)[-_][\w-]+")


def comparable(answer: Any) -> Any:
    """Return ``answer`` as plain data without ids and times."""
    if isinstance(answer, BaseModel):
        return {"type": type(answer).__name__, **comparable(answer.model_dump(warnings=False))}
    if isinstance(answer, dict):
        return {key: comparable(value) for key, value in answer.items() if key not in _VOLATILE}
    if isinstance(answer, (list, tuple)):
        return [comparable(value) for value in answer]
    if isinstance(answer, str):
        return _IDS.sub(r"\1", answer)
    return answer
