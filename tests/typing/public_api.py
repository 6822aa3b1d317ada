"""What a type checker sees; read by ``test_types.py`` and by ``make lint``, never run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openai
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.types import MaskOtelSpansFunction
from llama_index.core.prompts import ChatPromptTemplate as LlamaIndexChatTemplate
from llama_index.core.prompts import PromptTemplate as LlamaIndexTemplate
from llama_index.llms.openai import OpenAI
from typing_extensions import assert_type

import tracesplice
from tracesplice_langchain import prompt_template
from tracesplice_llama_index import prompt_template as llama_index_template

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langfuse.model import ChatPromptClient, TextPromptClient


class Subclass(openai.OpenAI):
    """A client of the user's own."""


def splice_keeps_the_type(
    client: openai.OpenAI, asynchronous: openai.AsyncOpenAI, own: Subclass
) -> None:
    assert_type(tracesplice.splice(client), openai.OpenAI)
    assert_type(tracesplice.splice(asynchronous), openai.AsyncOpenAI)
    assert_type(tracesplice.splice(own), Subclass)
    assert_type(tracesplice.unsplice(client), openai.OpenAI)
    assert_type(tracesplice.splice(openai.OpenAI()).with_options(timeout=1), openai.OpenAI)


def langchain_objects_keep_their_type(
    model: ChatOpenAI, chain: Runnable[str, str], text: TextPromptClient, chat: ChatPromptClient
) -> None:
    assert_type(tracesplice.splice(model), ChatOpenAI)
    assert_type(tracesplice.splice(chain), Runnable[str, str])
    assert_type(prompt_template(text), PromptTemplate)
    assert_type(prompt_template(chat), ChatPromptTemplate)


def llama_index_objects_keep_their_type(
    model: OpenAI, text: TextPromptClient, chat: ChatPromptClient
) -> None:
    assert_type(tracesplice.splice(model), OpenAI)
    assert_type(llama_index_template(text), LlamaIndexTemplate)
    assert_type(llama_index_template(chat), LlamaIndexChatTemplate)


def a_mask_is_what_langfuse_takes(own: MaskOtelSpansFunction) -> None:
    assert_type(tracesplice.count_usage_once(), MaskOtelSpansFunction)
    Langfuse(mask_otel_spans=tracesplice.count_usage_once(then=own, owner="client"))
    Langfuse(mask_otel_spans=tracesplice.count_usage_once(then=None, owner="gateway"))


def the_rest_is_typed() -> None:
    assert_type(tracesplice.extra_body(), dict[str, Any])
    assert_type(tracesplice.headers(), dict[str, str])
    described = tracesplice.prompt_metadata(object(), content=True)
    assert_type(described["name"], str)
    assert_type(described["version"], int)
    tracesplice.instrument()
    tracesplice.instrument("http://gw")
    tracesplice.instrument(gateway=["http://gw", "http://other"])


def mistakes_are_found(client: openai.OpenAI) -> None:
    # Strict mypy calls an ignore that ignores nothing an error.
    tracesplice.splice(client).no_such_attribute  # type: ignore[attr-defined]  # noqa: B018
    tracesplice.splice()  # type: ignore[call-arg]
    tracesplice.instrument(gateway=4000)  # type: ignore[arg-type]
    prompt_template("greeting")  # type: ignore[call-overload]
    tracesplice.count_usage_once(owner="nobody")  # type: ignore[arg-type]
    tracesplice.count_usage_once(then=print)  # type: ignore[arg-type]
    tracesplice.count_usage_once(lambda params: None)  # type: ignore[call-arg]
    tracesplice.extra_body(object())  # type: ignore[call-arg]
    tracesplice.prompt_metadata(object())["versoin"]  # type: ignore[typeddict-item]


def carriers(function: Callable[[int], str]) -> None:
    assert_type(tracesplice.capture(), dict[str, str])
    assert_type(tracesplice.wrap(function), Callable[[int], str])
    with tracesplice.resume({"traceparent": "00"}, strict=True):
        pass


async def asynchronous_carriers(function: Callable[[int], Awaitable[str]]) -> None:
    async with tracesplice.resume(None):
        assert_type(await tracesplice.wrap(function)(1), str)
