"""Wraps the methods of all models, programs and templates there are and will be.

Which client a model calls cannot be told from outside, so it does not matter here whether it is
spliced. The modules of the wrappers say what is wrong without them. Each has a test that fails
where it is taken away, and so where LlamaIndex no longer needs it: see ``tests/shapes``.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

import wrapt
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate, SelectorPromptTemplate
from llama_index.core.types import BasePydanticProgram

from tracesplice.adapter import (
    each_class,
    guarded,
    when_imported,
    wrap_function,
    wrap_methods,
)
from tracesplice_llama_index._formatted import format_template, keep_text, make_template
from tracesplice_llama_index._model_methods import (
    CALLS,
    HELPERS,
    LAZY_STREAMS,
    ignore_helper_spans,
)
from tracesplice_llama_index._prompt_of_call import acall, call
from tracesplice_llama_index._stream_context import astream, stream

__all__ = ["install"]

_AGENTS = "llama_index.core.agent.workflow.base_agent"  # LlamaIndex imports it when it is used


def install() -> None:
    """Wrap the methods; a second time changes nothing."""
    each_class(BaseLLM, _wrap_model)
    each_class(BasePydanticProgram, _wrap_program)
    each_class(BasePromptTemplate, _wrap_template)
    wrap_methods(PromptTemplate, {"__init__": make_template})
    wrap_methods(ChatMessage, {"__init__": keep_text})
    when_imported(_AGENTS, _wrap_agents)


@guarded("the places and prompts of a LlamaIndex model's calls")
def _wrap_model(model: type) -> None:
    ignore_helper_spans(model)
    _wrap_streams(model, LAZY_STREAMS)
    for name in _own(model, (*CALLS, *HELPERS)):
        wrap_methods(model, {name: acall if iscoroutinefunction(vars(model)[name]) else call})


@guarded("the places of a LlamaIndex program's calls")
def _wrap_program(program: type) -> None:
    _wrap_streams(program, ("stream_call", "astream_call"))


@guarded("the prompts of a LlamaIndex template")
def _wrap_template(template: type) -> None:
    if not issubclass(template, SelectorPromptTemplate):  # the template that it selects is wrapped
        names = _own(template, ("format", "format_messages"))
        wrap_methods(template, dict.fromkeys(names, format_template))


def _wrap_agents(module: Any) -> None:
    wrap_methods(module.BaseWorkflowAgent, {"__init__": keep_text})


def _wrap_streams(owner: type, names: tuple[str, ...]) -> None:
    for name in _own(owner, names):
        method = vars(owner)[name]
        wrapper = astream if iscoroutinefunction(method) else stream
        if isinstance(method, wrapt.FunctionWrapper):
            # LlamaIndex's, which enters the span of the call and leaves it: what is current in the
            # span is only known inside
            # (https://github.com/run-llama/llama_index/blob/main/llama-index-instrumentation/src/llama_index_instrumentation/dispatcher.py,
            # ``span``).
            method.__wrapped__ = wrap_function(method.__wrapped__, wrapper)
        else:
            wrap_methods(owner, {name: wrapper})


def _own(owner: type, names: tuple[str, ...]) -> list[str]:
    """Return those of ``names`` that are methods of the class itself, and not abstract."""
    own = {name: vars(owner).get(name) for name in names}
    return [
        name
        for name, method in own.items()
        if callable(method) and not getattr(method, "__isabstractmethod__", False)
    ]
