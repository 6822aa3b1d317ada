"""Makes LlamaIndex's calls go out where they belong, with the prompt of their template.

- A stream is asked for: LlamaIndex sends its request when the first part is read, and by then has
  left the span that OpenInference made for it. Of a structured stream, even the model is only
  called when the first part is read.
- A template is formatted: LlamaIndex does not pass on what is in its metadata, neither where a
  model gets the template nor where something else formats it and the model gets text.

Each has its test in ``tests/conformance/test_llama_index_repairs.py`` or ``_streams.py``, which
fails where the repair is taken away.

The methods are wrapped on the classes of all models and templates there are and will be. Which
client a model calls cannot be told from outside, so it does not matter here whether it is spliced.
"""

from __future__ import annotations

from inspect import getattr_static, iscoroutinefunction
from typing import TYPE_CHECKING, Any

import wrapt
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.types import BasePydanticProgram

from tracesplice.adapter import guarded, warn_once
from tracesplice_llama_index import _methods
from tracesplice_llama_index._helpers import declare_helpers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["install", "install_clients"]

_NO_METHOD = (
    "tracesplice: %s has no method %s in this version of LlamaIndex, so some of its calls may go "
    "without a link. Please report it with the version of llama-index-core."
)
_AGENTS = "llama_index.core.agent.workflow.base_agent"  # LlamaIndex imports it when it is used
_LAZY = (
    *("stream_chat", "astream_chat", "stream_complete", "astream_complete"),
    *("stream_structured_predict", "astream_structured_predict"),
)
_CALLS = (
    *_LAZY,
    *("chat", "achat", "complete", "acomplete"),
    *("predict", "apredict", "stream", "astream"),
    *("structured_predict", "astructured_predict", "predict_and_call", "apredict_and_call"),
    *("chat_with_tools", "achat_with_tools"),
    *("stream_chat_with_tools", "astream_chat_with_tools"),
)


class _Repaired(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # not generic in wrapt 1
    """A method that this module wrapped."""


def install() -> None:
    """Wrap the methods of all models and templates; a second time changes nothing."""
    _each_class(BaseLLM, _repair_model)
    _each_class(BasePydanticProgram, _repair_program)
    _each_class(BasePromptTemplate, _repair_template)
    _wrap(PromptTemplate, "__init__", _methods.make_template)
    _wrap(ChatMessage, "__init__", _methods.make_message)
    wrapt.register_post_import_hook(_repair_agents, _AGENTS)


def install_clients(model: type, methods: tuple[str, ...]) -> None:
    """Wrap the methods in which a model's class makes its clients, and in which it is unpickled."""
    _wrap(model, "__setstate__", _methods.set_state)
    for name in methods:
        _wrap(model, name, _methods.get_client)


def _each_class(base: type, repair: Callable[[type], object]) -> None:
    own: Any = vars(base).get("__init_subclass__")
    if isinstance(own, _OfSubclasses):
        return

    def init_subclass(cls: type, **kwargs: Any) -> None:
        inherited: Any = super(base, cls)
        (inherited.__init_subclass__ if own is None else own.__get__(None, cls))(**kwargs)
        repair(cls)

    base.__init_subclass__ = _OfSubclasses(init_subclass)  # type: ignore[assignment]
    for kind in _subclasses(base):
        repair(kind)


class _OfSubclasses(classmethod):  # type: ignore[type-arg]
    """The method in which this module learns of a new class."""


def _subclasses(base: type) -> Iterator[type]:
    yield base
    derived: list[type] = base.__subclasses__()
    for each in derived:
        yield from _subclasses(each)


@guarded("the places and prompts of a LlamaIndex model's calls")
def _repair_model(model: type) -> None:
    declare_helpers(model)
    for name in _CALLS:
        if _is_own(model, name):
            is_async = iscoroutinefunction(vars(model)[name])
            if name in _LAZY:
                _wrap_inside(model, name, _methods.astream if is_async else _methods.stream)
            _wrap(model, name, _methods.acall if is_async else _methods.call)


@guarded("the prompts of LlamaIndex's agents")
def _repair_agents(module: Any) -> None:
    _wrap(module.BaseWorkflowAgent, "__init__", _methods.make_agent)


@guarded("the places of a LlamaIndex program's calls")
def _repair_program(program: type) -> None:
    for name, wrapper in (("stream_call", _methods.stream), ("astream_call", _methods.astream)):
        if _is_own(program, name):
            _wrap(program, name, wrapper)


@guarded("the prompts of a LlamaIndex template")
def _repair_template(template: type) -> None:
    for name in ("format", "format_messages"):
        if _is_own(template, name):
            _wrap(template, name, _methods.make_of_template)


def _is_own(owner: type, name: str) -> bool:
    method = vars(owner).get(name)
    return method is not None and not getattr(method, "__isabstractmethod__", False)


def _wrap(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    method = getattr_static(owner, name, None)
    if method is None:
        warn_once(f"llama_index:{name}", _NO_METHOD, owner.__name__, name)
    elif not isinstance(method, _Repaired):
        setattr(owner, name, _Repaired(method, wrapper))


def _wrap_inside(owner: type, name: str, wrapper: Callable[..., Any]) -> None:
    # LlamaIndex's wrapper around a method is where it enters the span of the call and leaves it
    # (https://github.com/run-llama/llama_index/blob/main/llama-index-instrumentation/src/llama_index_instrumentation/dispatcher.py,
    # ``span``). What is current in the span is only known inside.
    method = vars(owner)[name]
    if isinstance(method, _Repaired):
        return
    if isinstance(method, wrapt.FunctionWrapper):
        method.__wrapped__ = _Repaired(method.__wrapped__, wrapper)
    else:
        setattr(owner, name, wrapt.FunctionWrapper(method, wrapper))
