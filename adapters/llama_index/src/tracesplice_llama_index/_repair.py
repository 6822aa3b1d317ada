"""Makes LlamaIndex's calls go out where they belong, with the prompt of their template.

What is current when a request is sent is something else than what the call belongs to where

- OpenInference, before its release 4.6.1, makes spans for LlamaIndex's calls and none of them
  current;
- a stream is asked for: LlamaIndex sends its request when the first part is read, and by then has
  left the span that OpenInference made for it;
- a structured stream is asked for: even the model is only called when the first part is read.

And LlamaIndex does not pass on what is in the metadata of the template that a call is made of. Each
has its test in ``tests/conformance/test_llama_index_repairs.py`` or ``_streams.py``, which fails
where the repair is taken away.

The methods are wrapped on classes, and do nothing for models that are not spliced. Those with an
underscore are where LlamaIndex's own models meet the OpenAI client, inside the span of the call
(https://github.com/run-llama/llama_index/tree/main/llama-index-integrations/llms/llama-index-llms-openai).
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import wrapt
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.llms.openai import OpenAI, OpenAIResponses

from tracesplice.adapter import warn_once
from tracesplice_llama_index._helpers import declare_helpers
from tracesplice_llama_index._methods import (
    acall,
    call,
    get_client,
    of_nothing,
    of_observation,
    of_program,
    of_prompt,
    of_structured_prompt,
    set_state,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Wrappers = Mapping[str, Callable[..., Any]]

__all__ = ["install"]

_NO_METHOD = (
    "tracesplice: %s has no method %s in this version of LlamaIndex, so some of its calls may be "
    "in the wrong place. Please report it with the version of llama-index-core."
)


class _Repaired(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # not generic in wrapt 1
    """A method that this module wrapped."""


def install(model: type) -> None:
    """Wrap the methods of a model's class; a second time changes nothing."""
    declare_helpers(model)
    _wrap(model, _OF_EVERY_MODEL)
    if not issubclass(model, OpenAIResponses):  # that one makes its clients when it is made
        _wrap(model, _OF_CLIENTS)
    if issubclass(model, OpenAI):
        _wrap(model, _OF_COMPLETIONS)
    if issubclass(model, (OpenAI, OpenAIResponses)):
        _wrap(model, _OF_LLMS)
        _wrap(StructuredLLM, _OF_STRUCTURED_LLMS)
        _wrap(FunctionCallingProgram, _OF_PROGRAMS)
        _wrap(LLMTextCompletionProgram, _OF_PROGRAMS)
    else:
        _wrap(model, _OF_EMBEDDINGS)


def _wrap(owner: type, wrappers: Wrappers) -> None:
    for name, wrapper in wrappers.items():
        method = getattr_static(owner, name, None)
        if method is None:
            warn_once(f"llama_index:{name}", _NO_METHOD, owner.__name__, name)
        elif not isinstance(method, _Repaired):
            setattr(owner, name, _Repaired(method, wrapper))


_OF_EVERY_MODEL: Wrappers = {"__setstate__": set_state}
_OF_CLIENTS: Wrappers = {"_get_client": get_client, "_get_aclient": get_client}
_OF_COMPLETIONS: Wrappers = {
    "_complete": call(of_observation),
    "_acomplete": acall(of_observation),
    "_stream_complete": call(of_observation, lazy=True),
    "_astream_complete": acall(of_observation, lazy=True),
}
_OF_EMBEDDINGS: Wrappers = {
    "_get_query_embedding": call(of_observation),
    "_aget_query_embedding": acall(of_observation),
    "_get_text_embedding": call(of_observation),
    "_aget_text_embedding": acall(of_observation),
    "_get_text_embeddings": call(of_observation),
    "_aget_text_embeddings": acall(of_observation),
}
_OF_LLMS: Wrappers = {
    "_chat": call(of_observation),
    "_achat": acall(of_observation),
    "_stream_chat": call(of_observation, lazy=True),
    "_astream_chat": acall(of_observation, lazy=True),
    "predict": call(of_prompt),
    "apredict": acall(of_prompt),
    "stream": call(of_prompt),
    "astream": acall(of_prompt),
    "structured_predict": call(of_structured_prompt),
    "astructured_predict": acall(of_structured_prompt),
    "stream_structured_predict": call(of_structured_prompt, lazy=True),
    "astream_structured_predict": acall(of_structured_prompt, lazy=True),
}
_OF_STRUCTURED_LLMS: Wrappers = {
    "stream_chat": call(of_nothing, lazy=True),
    "astream_chat": acall(of_nothing, lazy=True),
}
_OF_PROGRAMS: Wrappers = {
    "__call__": call(of_program),
    "acall": acall(of_program),
    "stream_call": call(of_program, lazy=True),
    "astream_call": acall(of_program, lazy=True),
}
