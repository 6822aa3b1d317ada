"""Haystack: components make a client when they run first, and drop it when they are closed."""

from haystack import Document, Pipeline
from haystack.components.agents import Agent
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators import OpenAIImageGenerator
from haystack.components.generators.chat import (
    AzureOpenAIChatGenerator,
    OpenAIChatGenerator,
    OpenAIResponsesChatGenerator,
)
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret

from frameworks.held import QUESTION

ASKED = [ChatMessage.from_user(QUESTION)]


def at(kind, url):
    return kind(api_base_url=url, api_key=Secret.from_env_var("LANGFUSE_SECRET_KEY"))


def azure(url):
    return AzureOpenAIChatGenerator(
        azure_endpoint=url.removesuffix("/v1"), api_key=Secret.from_env_var("LANGFUSE_SECRET_KEY")
    )


def pipeline(url):
    made = Pipeline()
    made.add_component("llm", at(OpenAIChatGenerator, url))
    return made


def ask(generator):
    generator.run(ASKED)


async def ask_async(generator):
    await generator.run_async(ASKED)
    await generator.close_async()
    await generator.run_async(ASKED)


def stream(generator):
    generator.run(ASKED, streaming_callback=lambda chunk: None)


HELD = {
    "OpenAIChatGenerator": (lambda url: at(OpenAIChatGenerator, url), ask, ask_async, stream),
    "OpenAIResponsesChatGenerator": (
        lambda url: at(OpenAIResponsesChatGenerator, url),
        ask,
        ask_async,
        stream,
    ),
    "AzureOpenAIChatGenerator": (azure, ask),
    "OpenAITextEmbedder": (
        lambda url: at(OpenAITextEmbedder, url),
        lambda embedder: embedder.run(QUESTION) and None,
    ),
    "OpenAIDocumentEmbedder": (
        lambda url: at(OpenAIDocumentEmbedder, url),
        lambda embedder: embedder.run([Document(content=QUESTION)]) and None,
        lambda embedder: embedder.run_async([Document(content=QUESTION)]),
    ),
    "OpenAIImageGenerator": (
        lambda url: at(OpenAIImageGenerator, url),
        lambda generator: generator.run(QUESTION) and None,
    ),
    "Agent": (
        lambda url: Agent(chat_generator=at(OpenAIChatGenerator, url)),
        lambda agent: agent.run(ASKED) and None,
    ),
    "Pipeline": (pipeline, lambda made: made.run({"llm": {"messages": ASKED}}) and None),
}
