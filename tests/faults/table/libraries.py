"""The client libraries of the table: how each makes a client, and one call in each of four ways."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import tracesplice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LIBRARIES", "WAYS", "Library", "Setting"]

WAYS = ("sync", "async", "stream", "async stream")
TEXT = "hi"
MESSAGES = [{"role": "user", "content": TEXT}]


@dataclass(frozen=True)
class Setting:
    """What a client is made with.

    Attributes:
        url: The gateway's address.
        retries: How often a request is repeated.
        timeout: Of a request, in seconds.
        http: The HTTP clients to use, by library and whether they are asynchronous.
    """

    url: str
    retries: int = 0
    timeout: float = 20
    http: dict[tuple[str, bool], Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Library:
    """A client library.

    Attributes:
        name: As the table shows it.
        module: What is imported; the library is left out where it is not installed.
        make: Makes a client, of a setting and whether it is asynchronous.
        call: Makes a call, of a client and a way.
        splice: Splices a client for a setting.
        unsplice: Undoes that.
        pools: Whether it runs threads of its own that come and go with its calls.
    """

    name: str
    module: str
    make: Callable[[Setting, bool], Any]
    call: Callable[[Any, str], Any]
    splice: Callable[[Any, Setting], object] = lambda client, _: tracesplice.splice(client)
    unsplice: Callable[[Any], object] = tracesplice.unsplice
    pools: bool = False

    @property
    def is_here(self) -> bool:
        return find_spec(self.module) is not None


def http(setting: Setting, module: str, is_async: bool) -> Any:
    """An HTTP client that lasts: without certificates, which take long to read."""
    found = setting.http.get((module, is_async))
    if found is None:
        sdk = importlib.import_module(module)
        kind = sdk.DefaultAsyncHttpxClient if is_async else sdk.DefaultHttpxClient
        found = setting.http[module, is_async] = kind(verify=False)
    return found


def _openai(setting: Setting, is_async: bool) -> Any:
    import openai

    return (openai.AsyncOpenAI if is_async else openai.OpenAI)(
        base_url=f"{setting.url}/v1",
        api_key="k",
        max_retries=setting.retries,
        timeout=setting.timeout,
        http_client=http(setting, "openai", is_async),
    )


def _ask_openai(client: Any, way: str) -> Any:
    return client.chat.completions.create(
        model="m", messages=MESSAGES, stream=way.endswith("stream")
    )


def _anthropic(setting: Setting, is_async: bool) -> Any:
    import anthropic

    return (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(
        base_url=setting.url,
        api_key="k",
        max_retries=setting.retries,
        timeout=setting.timeout,
        http_client=http(setting, "anthropic", is_async),
    )


def _ask_anthropic(client: Any, way: str) -> Any:
    return client.messages.create(
        model="m", max_tokens=9, messages=MESSAGES, stream=way.endswith("stream")
    )


def _langchain(setting: Setting, _is_async: bool) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model="m",
        base_url=f"{setting.url}/v1",
        api_key="k",  # type: ignore[arg-type]
        max_retries=setting.retries,
        timeout=setting.timeout,
        http_client=http(setting, "openai", False),
        http_async_client=http(setting, "openai", True),
    )


def _ask_langchain(model: Any, way: str) -> Any:
    names = dict(zip(WAYS, ("invoke", "ainvoke", "stream", "astream"), strict=True))
    return getattr(model, names[way])(TEXT)


def _llama_index(setting: Setting, _is_async: bool) -> Any:
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model="m",
        api_base=f"{setting.url}/v1",
        api_key="k",
        is_chat_model=True,
        max_retries=0,  # its own take a second and more, by chance
        timeout=setting.timeout,
        http_client=http(setting, "openai", False),
        async_http_client=http(setting, "openai", True),
    )


def _ask_llama_index(model: Any, way: str) -> Any:
    names = ("complete", "acomplete", "stream_complete", "astream_complete")
    return getattr(model, dict(zip(WAYS, names, strict=True))[way])(TEXT)


def _litellm(setting: Setting, _is_async: bool) -> Any:
    class Functions:
        """What is asked for a client: LiteLLM keeps those that it makes itself."""

        given: Mapping[str, Any] = {
            "model": "litellm_proxy/m",
            "api_base": setting.url,
            "api_key": "k",
            "max_retries": setting.retries,
            "timeout": setting.timeout,
            "messages": MESSAGES,
        }

    return Functions()


def _ask_litellm(functions: Any, way: str) -> Any:
    import litellm

    ask = litellm.acompletion if way.startswith("async") else litellm.completion
    return ask(**functions.given, stream=way.endswith("stream"))


LIBRARIES = (
    Library("OpenAI", "openai", _openai, _ask_openai),
    Library("LangChain", "langchain_openai", _langchain, _ask_langchain),
    Library("LlamaIndex", "llama_index.llms.openai_like", _llama_index, _ask_llama_index),
    Library("Anthropic", "anthropic", _anthropic, _ask_anthropic),
    Library(
        "LiteLLM",
        "litellm",
        _litellm,
        _ask_litellm,
        lambda _, setting: tracesplice.instrument(gateway=setting.url),
        lambda _: tracesplice.uninstrument(),
        pools=True,
    ),
)
