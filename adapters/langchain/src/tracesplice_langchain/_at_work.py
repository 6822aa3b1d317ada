"""LangChain's own context: the run at work where a call is made, whichever client makes it.

Langfuse's handler makes the observation of a run current only in synchronous code, and other
handlers do not at all. LangChain keeps the run in the config that it hands down to what is called
inside it. This module imports nothing of LangChain's, as it is asked for every call that is linked.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tracesplice_langchain._handlers import langfuse_handlers, span_of_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

__all__ = ["observation_at_work", "run_at_work", "trace_attributes", "values_at_work"]

# LangGraph, too, sets this variable of LangChain's for what is called inside a node
# (https://github.com/langchain-ai/langchain/blob/master/libs/core/langchain_core/runnables/config.py).
_MODULE, _VARIABLE = "langchain_core.runnables.config", "var_child_runnable_config"

# What Langfuse's handler reads from the metadata of a chain
# (https://langfuse.com/integrations/frameworks/langchain).
_TEXTS = {
    "langfuse_user_id": "user_id",
    "langfuse_session_id": "session_id",
    "langfuse_trace_name": "trace_name",
}
_PROMPT = "langfuse_prompt"


def run_at_work() -> Any:
    """Return the callback manager for what the run at work here calls, or None."""
    variable = getattr(sys.modules.get(_MODULE), _VARIABLE, None)
    config = None if variable is None else variable.get()
    manager = config.get("callbacks") if config else None
    return None if getattr(manager, "parent_run_id", None) is None else manager


def observation_at_work() -> Span | None:
    """Return the span of the run at work here, or None."""
    manager = run_at_work()
    return None if manager is None else span_of_run(manager.handlers, manager.parent_run_id)


def values_at_work() -> Mapping[str, Any] | None:
    """Return what the metadata of the run at work here says of user, session, tags and prompt."""
    manager = run_at_work()
    if manager is None:
        return None
    tags = manager.inheritable_tags if langfuse_handlers(manager.handlers) else ()
    return trace_attributes(manager.metadata or {}, tags)


def trace_attributes(metadata: Mapping[str, Any], tags_of_chain: Any = ()) -> dict[str, Any]:
    """Read metadata as Langfuse's handler does.

    Args:
        metadata: A run's.
        tags_of_chain: LangChain's tags, which that handler takes for trace tags too.

    Returns:
        What is there, by the names that ``langfuse.propagate_attributes`` has for it.
    """
    found = {
        name: metadata[key] for key, name in _TEXTS.items() if isinstance(metadata.get(key), str)
    }
    given = metadata.get("langfuse_tags")
    tags = [str(tag) for tag in given] if isinstance(given, list) else []
    if tags or tags_of_chain:
        found["tags"] = [*tags, *tags_of_chain]
    if metadata.get(_PROMPT) is not None:
        found["prompt"] = metadata[_PROMPT]
    return found
