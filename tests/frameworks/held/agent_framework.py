"""Microsoft Agent Framework: clients hold an OpenAI client, agents hold a client."""

from agent_framework import Agent
from agent_framework.openai import (
    OpenAIChatClient,
    OpenAIChatCompletionClient,
    OpenAIEmbeddingClient,
)

from frameworks.held import KEY, QUESTION, aread


def at(kind, url):
    return kind(model="chat", base_url=url, api_key=KEY)


async def ask(client):
    await Agent(client).run(QUESTION)


async def stream(client):
    await aread(Agent(client).run(QUESTION, stream=True))


HELD = {
    "OpenAIChatClient": (lambda url: at(OpenAIChatClient, url), ask, stream),
    "OpenAIChatCompletionClient": (
        lambda url: at(OpenAIChatCompletionClient, url),
        ask,
        stream,
    ),
    "OpenAIEmbeddingClient": (
        lambda url: at(OpenAIEmbeddingClient, url),
        lambda client: client.get_embeddings([QUESTION]),
    ),
    "Agent": (
        lambda url: Agent(at(OpenAIChatClient, url)),
        lambda agent: agent.run(QUESTION),
    ),
}
