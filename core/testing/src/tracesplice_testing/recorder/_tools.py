"""The tools a call was offered, which Langfuse shows in its input (appendToolsToInput).

https://github.com/langfuse/langfuse/blob/main/packages/shared/src/server/ingestion/extractToolsBackend.ts
Left out: the attributes of the Vercel AI SDK, Pydantic AI, and `gen_ai.tool.definitions`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tracesplice_view import parsed

if TYPE_CHECKING:
    from ._otlp import Span

_TOOL = re.compile(r"llm\.tools\.(\d+)\.tool\.json_schema")


def with_tools(given: Any, span: Span) -> Any:
    """The input, with OpenInference's tools in it; as it is where there are none."""
    tools = _tools(span)
    if not tools or span.scope.startswith("langfuse-sdk"):
        return given
    value = parsed(given)
    if isinstance(value, list):
        return {"messages": value, "tools": tools}
    if isinstance(value, str):
        return {"prompt": value, "tools": tools}
    if isinstance(value, dict):
        return value | {"tools": _united([*(value.get("tools") or []), *tools])}
    return given if value is not None else {"tools": tools}


def _tools(span: Span) -> list[Any]:
    found = {int(m[1]): parsed(v) for k, v in span.attributes.items() if (m := _TOOL.fullmatch(k))}
    return [found[number] for number in sorted(found) if _name(found[number])]


def _united(tools: list[Any]) -> list[Any]:
    """Each name once, the first of them; what has no name stays."""
    names = [_name(tool) for tool in tools]
    return [t for i, t in enumerate(tools) if not names[i] or names[i] not in names[:i]]


def _name(tool: Any) -> Any:
    tool = parsed(tool)
    inner = tool.get("function") if isinstance(tool, dict) else None
    return (inner if isinstance(inner, dict) else tool).get("name") if tool else None
