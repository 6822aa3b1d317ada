"""Traces as Langfuse shows them, to be judged and drawn."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tracesplice_view import Observation, Trace

NOW = datetime.now(timezone.utc)
PROMPT: dict[str, Any] = {"prompt_name": "greet", "prompt_version": 3}
WHO: dict[str, Any] = {"user_id": "u", "session_id": "s", "tags": ("t",)}


def made(id_: str, parent: str | None = None, **fields: Any) -> Observation:
    given: dict[str, Any] = {"name": f"name-{id_}", "type": "GENERATION", "trace_id": "t1"}
    given |= {"start": NOW, "end": NOW, **fields}
    return Observation(id=id_, parent_id=parent, **given)


def gateway(id_: str = "gateway", parent: str | None = "own", **fields: Any) -> Observation:
    figures = {"usage": {"total": 3}, "cost": 0.5}
    return made(id_, parent, **{"scope": "litellm", **figures, **PROMPT, **WHO, **fields})


def traces(*observations: Observation) -> list[Trace]:
    ids = dict.fromkeys(each.trace_id for each in observations)
    return [
        Trace(id_, observations=tuple(o for o in observations if o.trace_id == id_)) for id_ in ids
    ]


ROOT = made("root", type="SPAN", **WHO)
OWN = made("own", "root", **PROMPT, **WHO)
BARE: dict[str, Any] = {"prompt_name": None, "prompt_version": None}
