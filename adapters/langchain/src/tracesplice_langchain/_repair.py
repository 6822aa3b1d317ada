"""Makes the run that sends a request current while it does so.

A model is asked inside a run (``_methods`` says by which methods). What is current at that moment
is something else when

- the call is asynchronous: LangChain runs Langfuse's handler in a thread, and what the handler
  makes current stays in there;
- ``generate`` has several inputs: all runs start before the first request, and the last one is
  current;
- the handler makes nothing current, as OpenInference's.

A run that has no parent is part of the runnable that makes the call, where nothing that Langfuse
stores is current: ``with_fallbacks`` does not pass its own run on to the models it invokes. A
stream belongs where it was asked for then (see ``_streams``).

Each has its test in ``tests/conformance/test_langchain_repairs.py``, which fails where the repair
is taken away.

The methods are wrapped on LangChain's base classes, once, so that every model there is has them. A
model whose clients can be seen and of which none is spliced is left alone unless the process is
instrumented. Of any other nobody can know what it calls, and a run is current in its own call.
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import wrapt

from tracesplice.adapter import guarded, warn_once
from tracesplice_langchain._methods import (
    OF_BOTH,
    OF_CHAT_MODELS,
    OF_COMPLETION_MODELS,
    OF_LATER_CHAT_MODELS,
)
from tracesplice_langchain._runs import note_started_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

__all__ = ["install_chat_models", "install_completion_models"]

_NO_METHOD = (
    "tracesplice: %s has no method %s in this version of LangChain; the gateway's generations of "
    "some calls go under the enclosing span. Please report it with the version of langchain-core."
)


@guarded("the links of LangChain's chat models")
def install_chat_models(module: ModuleType) -> None:
    """Wrap the methods of every chat model."""
    note_started_runs()
    later = {
        name: each
        for name, each in OF_LATER_CHAT_MODELS.items()
        if name in vars(module.BaseChatModel)
    }
    _install(module.BaseChatModel, {**OF_BOTH, **OF_CHAT_MODELS, **later})


@guarded("the links of LangChain's completion models")
def install_completion_models(module: ModuleType) -> None:
    """Wrap the methods of every model of the old completions."""
    _install(module.BaseLLM, {**OF_BOTH, **OF_COMPLETION_MODELS})


def _install(owner: type, wrappers: Mapping[str, Callable[..., Any]]) -> None:
    for name, wrapper in wrappers.items():
        method = getattr_static(owner, name, None)
        if method is None:
            warn_once(f"langchain:{name}", _NO_METHOD, owner.__name__, name)
        else:
            setattr(owner, name, wrapt.FunctionWrapper(method, wrapper))
