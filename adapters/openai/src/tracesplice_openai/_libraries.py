"""The libraries whose objects call through an OpenAI client, and which make it late.

Most make their client with the object, and it is found in there. The others are declared here, by
the name of the class, so that nothing is imported: ``tests/frameworks`` tries each on the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PACKAGES", "is_of_library", "makers_of"]

PACKAGES = frozenset(
    {
        "ag2",
        "agent_framework",
        "agent_framework_openai",
        "agents",
        "agno",
        "aisuite",
        "autogen_agentchat",
        "autogen_ext",
        "browser_use",
        "crewai",
        "deepeval",
        "dspy",
        "guidance",
        "haystack",
        "instructor",
        "magentic",
        "mem0",
        "pydantic_ai",
        "semantic_kernel",
        "smolagents",
        "strands",
    }
)
"""Top-level packages whose objects are searched for clients."""

_GETS = ("get_client", "get_async_client")
_WARMS_UP = ("warm_up", "warm_up_async")

_MAKERS: Mapping[str, tuple[str, ...]] = {
    "agents.models.openai_provider.OpenAIProvider": ("_get_client",),
    "agents.voice.models.openai_model_provider.OpenAIVoiceModelProvider": ("_get_client",),
    "agno.models.openai.chat.OpenAIChat": _GETS,
    "agno.models.openai.responses.OpenAIResponses": _GETS,
    "autogen_ext.models.openai._openai_client.BaseOpenAIChatCompletionClient": ("__setstate__",),
    "browser_use.llm.openai.chat.ChatOpenAI": ("get_client",),
    "crewai.llms.providers.openai.completion.OpenAICompletion": (
        "_build_sync_client",
        "_build_async_client",
    ),
    "deepeval.models.embedding_models.openai_embedding_model.OpenAIEmbeddingModel": ("load_model",),
    "deepeval.models.llms.openai_model.OpenAIModel": ("load_model",),
    "haystack.components.embedders.openai_document_embedder.OpenAIDocumentEmbedder": _WARMS_UP,
    "haystack.components.embedders.openai_text_embedder.OpenAITextEmbedder": _WARMS_UP,
    "haystack.components.generators.chat.openai.OpenAIChatGenerator": _WARMS_UP,
    "haystack.components.generators.chat.openai_responses.OpenAIResponsesChatGenerator": _WARMS_UP,
    "haystack.components.generators.openai_image_generator.OpenAIImageGenerator": _WARMS_UP,
    "strands.models.litellm.LiteLLMModel": (),  # derived from the next one, but calls LiteLLM
    "strands.models.openai.OpenAIModel": ("_get_client",),
}
"""By the full name of a class: its methods that make the clients of an object."""


def is_of_library(target: object) -> bool:
    """Return whether ``target`` is an object of one of the libraries' classes, or derived ones."""
    if isinstance(target, type):
        return False
    return any(base.__module__.partition(".")[0] in PACKAGES for base in type(target).__mro__)


def makers_of(kind: type) -> tuple[str, ...]:
    """Return the names of what makes the clients of objects of ``kind`` later."""
    names = (f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)
    return next((_MAKERS[name] for name in names if name in _MAKERS), ())
