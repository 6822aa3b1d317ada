"""The libraries whose objects call through an OpenAI client, and which make it late.

Most make their client with the object, and it is found in there. The others are declared here, by
the name of the class, so that nothing is imported: ``tests/frameworks`` tries each on the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PACKAGES", "callers_of", "calls_out_of_sight", "is_of_library", "makers_of"]

PACKAGES = frozenset(
    {
        "ag2",
        "agent_framework",
        "agent_framework_openai",
        "agents",
        "agno",
        "autogen_agentchat",
        "autogen_ext",
        "crewai",
        "dspy",
        "google.adk",
        "haystack",
        "instructor",
        "pydantic_ai",
        "semantic_kernel",
        "smolagents",
        "strands",
    }
)
"""Packages whose objects are searched for clients."""

_GETS = ("get_client", "get_async_client")
_WARMS_UP = ("warm_up", "warm_up_async")

_MAKERS: Mapping[str, tuple[str, ...]] = {
    "agents.models.openai_provider.OpenAIProvider": ("_get_client",),
    "agents.voice.models.openai_model_provider.OpenAIVoiceModelProvider": ("_get_client",),
    "agno.models.openai.chat.OpenAIChat": _GETS,
    "agno.models.openai.responses.OpenAIResponses": _GETS,
    "autogen_ext.models.openai._openai_client.BaseOpenAIChatCompletionClient": ("__setstate__",),
    "crewai.llms.providers.openai.completion.OpenAICompletion": (
        "_build_sync_client",
        "_build_async_client",
    ),
    "haystack.components.embedders.openai_document_embedder.OpenAIDocumentEmbedder": _WARMS_UP,
    "haystack.components.embedders.openai_text_embedder.OpenAITextEmbedder": _WARMS_UP,
    "haystack.components.generators.chat.openai.OpenAIChatGenerator": _WARMS_UP,
    "haystack.components.generators.chat.openai_responses.OpenAIResponsesChatGenerator": _WARMS_UP,
    "haystack.components.generators.openai_image_generator.OpenAIImageGenerator": _WARMS_UP,
    "strands.models.litellm.LiteLLMModel": (),  # derived from the next one, but calls LiteLLM
    "strands.models.openai.OpenAIModel": ("_get_client",),
}
"""By the full name of a class: its methods that make the clients of an object."""

_EMBEDS = (
    "response",
    "async_get_embedding",
    "async_get_embedding_and_usage",
    "async_get_embeddings_batch_and_usage",
)

_CALLERS: Mapping[str, tuple[str, ...]] = {
    "agents.extensions.models.litellm_model.LitellmModel": ("get_response", "stream_response"),
    "agno.knowledge.embedder.azure_openai.AzureOpenAIEmbedder": _EMBEDS,
    "agno.knowledge.embedder.openai.OpenAIEmbedder": _EMBEDS,
    "agno.models.litellm.chat.LiteLLM": (
        *("invoke", "ainvoke", "invoke_stream", "ainvoke_stream"),
    ),
    "crewai.llm.LLM": ("call", "acall", "__copy__", "__deepcopy__"),
    "dspy.clients.embedding.Embedder": ("__call__", "acall"),
    "google.adk.integrations.openai._openai_llm.OpenAILlm": ("generate_content_async",),
    "google.adk.models.lite_llm.LiteLlm": ("generate_content_async",),
    "dspy.clients.lm.LM": ("__call__", "acall"),  # one with a `forward` of another's it refuses
    "langchain_litellm.chat_models.litellm.ChatLiteLLM": (
        *("completion_with_retry", "acompletion_with_retry"),
    ),
    "langchain_litellm.embeddings.litellm.LiteLLMEmbeddings": (
        *("_embedding_with_retry", "_aembedding_with_retry"),
    ),
    "llama_index.llms.litellm.base.LiteLLM": (
        *("_chat", "_achat", "_stream_chat", "_astream_chat"),
    ),
    "smolagents.models.LiteLLMModel": ("generate", "generate_stream"),
    "strands.models.litellm.LiteLLMModel": ("stream", "structured_output"),
    "strands.models.openai_responses.OpenAIResponsesModel": ("stream", "structured_output"),
}
"""Where no client can be seen: the methods that call a model, and those that copy the object."""


def is_of_library(target: object) -> bool:
    """Return whether ``target`` is an object of one of the libraries' classes, or derived ones."""
    if isinstance(target, type):
        return False
    modules = (base.__module__.split(".") for base in type(target).__mro__)
    return any(each[0] in PACKAGES or ".".join(each[:2]) in PACKAGES for each in modules)


def makers_of(kind: type) -> tuple[str, ...]:
    """Return the names of the methods that make the clients of objects of ``kind``."""
    return _declared(_MAKERS, kind)


def callers_of(kind: type) -> tuple[str, ...]:
    """Return the names of the methods in which the calls of any client are those of an object."""
    return _declared(_CALLERS, kind)


def calls_out_of_sight(owner: object) -> bool:
    """Return whether ``owner`` calls models through clients that cannot be seen."""
    return bool(callers_of(type(owner)))


def _declared(table: Mapping[str, tuple[str, ...]], kind: type) -> tuple[str, ...]:
    names = (f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)
    return next((table[name] for name in names if name in table), ())
