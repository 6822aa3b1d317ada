"""Agno: models make their clients when they call first, and copies of models make their own."""

from agno.agent import Agent
from agno.knowledge.embedder.openai import OpenAIEmbedder
from agno.models.azure import AzureOpenAI
from agno.models.litellm import LiteLLM, LiteLLMOpenAI
from agno.models.openai import OpenAIChat, OpenAILike, OpenAIResponses

from frameworks.held import KEY, QUESTION, aread, read


def at(kind, url):
    return kind(id="chat", base_url=url, api_key=KEY)


def ask(model):
    Agent(model=model, telemetry=False).run(QUESTION)


async def ask_async(model):
    await Agent(model=model, telemetry=False).arun(QUESTION)


def stream(model):
    read(Agent(model=model, telemetry=False).run(QUESTION, stream=True))


async def stream_async(model):
    await aread(Agent(model=model, telemetry=False).arun(QUESTION, stream=True))


HELD = {
    **{
        kind.__name__: (lambda url, kind=kind: at(kind, url), ask, ask_async, stream, stream_async)
        for kind in (OpenAIChat, OpenAILike, OpenAIResponses, LiteLLMOpenAI)
    },
    "AzureOpenAI": (
        lambda url: AzureOpenAI(id="chat", azure_endpoint=url.removesuffix("/v1"), api_key=KEY),
        ask,
    ),
    "OpenAIEmbedder": (
        lambda url: OpenAIEmbedder(base_url=url, api_key=KEY),
        lambda embedder: embedder.get_embedding(QUESTION) and None,
        lambda embedder: embedder.async_get_embedding(QUESTION),
    ),
    "Agent": (
        lambda url: Agent(model=at(OpenAIChat, url), telemetry=False),
        lambda agent: agent.run(QUESTION) and None,
        lambda agent: agent.deep_copy().run(QUESTION) and None,
    ),
    "LiteLLM": (
        lambda url: LiteLLM(id="litellm_proxy/chat", api_base=url, api_key=KEY),
        ask,
        ask_async,
        stream,
        stream_async,
    ),
}
