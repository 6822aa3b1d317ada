"""What shows that each method the adapters wrap has to be wrapped: the table in README.md."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack, contextmanager
from inspect import isclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TABLE", "TESTS", "repairs", "taken_away", "unproved"]

_PACKAGES = {
    "openai": "OpenAI SDK",
    "langfuse": "OpenAI SDK",  # its `langfuse.openai`
    # What traces it has its name at the end of its own.
    **dict.fromkeys(("anthropic", "opentelemetry", "openinference"), "Anthropic SDK"),
    **dict.fromkeys(("langchain_core", "langchain_openai", "langchain_litellm"), "LangChain"),
    "llama_index": "LlamaIndex",
    **dict.fromkeys(("litellm", "concurrent"), "LiteLLM SDK"),
}
_PATCHED = ("langfuse.openai", "opentelemetry.instrumentation.anthropic")
_ROW = re.compile(r"^\| (.+?) \| `(.+?)` \| (.+?) \| (\w+) \|$", re.MULTILINE)
_TEST = re.compile(r"^\| (.+?) \| `(.+?)` \| `(tests/.+?)` \|$", re.MULTILINE)
_README = Path(__file__).with_name("README.md")

TABLE = {(row[1], row[2]): (row[3], row[4]) for row in _ROW.finditer(_README.read_text())}
"""By framework and method: the cell that is wrong without it, and the letters of what is wrong."""

TESTS = {(row[1], row[2]): row[3] for row in _TEST.finditer(_README.read_text())}
"""By framework and method: the test that fails without it, where no cell needs it."""


def repairs(framework: str) -> set[str]:
    """The names of the methods that are wrapped in a framework's classes."""
    return {name for each, name, _, _ in _wrapped() if each == framework}


def unproved(framework: str) -> set[str]:
    """The names of those that README.md has neither a cell nor a test for."""
    return {name for name in repairs(framework) if (framework, name) not in {**TABLE, **TESTS}}


@contextmanager
def taken_away(framework: str, name: str) -> Iterator[None]:
    """Call the methods of this name as if none was wrapped."""
    with ExitStack() as stack:
        for each, method, owner, attribute in list(_wrapped()):
            if (each, method) == (framework, name):
                ours = owner.__wrapped__ if attribute == "__wrapped__" else vars(owner)[attribute]
                stack.callback(setattr, owner, attribute, ours)
                setattr(owner, attribute, _Past(ours, _past))
        yield


class _Past(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """Somebody else's wrapper over ours, which calls what is under it."""


def _past(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    method = getattr(wrapped, "_self_parent", None) or getattr(wrapped, "__func__", wrapped)
    while _is_ours(method):
        method = method.__wrapped__
    if instance is not None:
        method = method.__get__(*((None, instance) if isclass(instance) else (instance,)))
    return method(*args, **kwargs)


def _wrapped() -> Iterator[tuple[str | None, str, Any, str]]:
    """Framework, name, and where the method of ours is: in a class, or in a wrapper of theirs."""
    patched = [sys.modules[name] for name in _PATCHED if name in sys.modules]
    owners: list[Any] = [*_classes(object, set()), *patched]
    for owner in owners:
        where = str(getattr(owner, "__module__", owner.__name__))  # of a class, or a module
        framework = _PACKAGES.get(where.partition(".")[0])
        for name, value in list(vars(owner).items()) if framework else ():
            holder, attribute = owner, name
            while isinstance(value, wrapt.FunctionWrapper) or _is_ours(value):
                if _is_ours(value):
                    yield framework, name, holder, attribute
                # Theirs may be around one of ours, and another one of ours around theirs.
                holder, attribute, value = value, "__wrapped__", value.__wrapped__


def _is_ours(value: object) -> bool:
    if type(value) is FunctionType:  # as `decorate_method` makes it
        _, made = vars(value).get("_tracesplice", (None, None))
        return made is value
    if not isinstance(value, wrapt.FunctionWrapper):
        return False
    wrapper: Any = getattr(value, "_self_wrapper", None)
    return str(getattr(wrapper, "__module__", "")).startswith("tracesplice")


def _classes(base: type[object], seen: set[type]) -> set[type]:
    derived: list[type] = type.__subclasses__(base)
    for each in derived:
        if each not in seen and each is not type:
            seen.add(each)
            _classes(each, seen)
    return seen
