"""pydantic-ai: providers hold the client, models hold a provider, agents a model."""

from pydantic_ai import Agent, Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.litellm import LiteLLMProvider
from pydantic_ai.providers.openai import OpenAIProvider

from frameworks.held import KEY, QUESTION


def provider(url):
    return OpenAIProvider(base_url=url, api_key=KEY)


def chat(url):
    return OpenAIChatModel("chat", provider=provider(url))


async def ask(model):
    await Agent(model).run(QUESTION)


async def stream(model):
    async with Agent(model).run_stream(QUESTION) as run:
        await run.get_output()


async def ask_by(provider):
    await ask(OpenAIChatModel("chat", provider=provider))


HELD = {
    "OpenAIChatModel": (chat, ask, stream),
    "OpenAIResponsesModel": (
        lambda url: OpenAIResponsesModel("chat", provider=provider(url)),
        ask,
        stream,
    ),
    "FallbackModel": (lambda url: FallbackModel(chat(url), chat(url)), ask),
    "OpenAIProvider": (provider, ask_by),
    "LiteLLMProvider": (lambda url: LiteLLMProvider(api_base=url, api_key=KEY), ask_by),
    "Agent": (lambda url: Agent(chat(url)), lambda agent: agent.run(QUESTION)),
    "OpenAIEmbeddingModel": (
        lambda url: OpenAIEmbeddingModel("embed", provider=provider(url)),
        lambda model: Embedder(model).embed_query(QUESTION),
    ),
}
