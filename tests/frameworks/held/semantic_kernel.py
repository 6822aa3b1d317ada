"""Semantic Kernel: services hold the client; kernels and agents hold services."""

from openai import AsyncOpenAI
from semantic_kernel import Kernel
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
    OpenAITextEmbedding,
)
from semantic_kernel.contents import ChatHistory

from frameworks.held import KEY, QUESTION, aread


def at(kind, url):
    return kind("chat", async_client=AsyncOpenAI(base_url=url, api_key=KEY))


def chat(url):
    return at(OpenAIChatCompletion, url)


def asked():
    history = ChatHistory()
    history.add_user_message(QUESTION)
    return history, OpenAIChatPromptExecutionSettings()


def kernel(url):
    made = Kernel()
    made.add_service(chat(url))
    return made


HELD = {
    "OpenAIChatCompletion": (
        chat,
        lambda service: service.get_chat_message_contents(*asked()),
        lambda service: aread(service.get_streaming_chat_message_contents(*asked())),
    ),
    "OpenAITextEmbedding": (
        lambda url: at(OpenAITextEmbedding, url),
        lambda service: service.generate_embeddings([QUESTION]),
    ),
    "Kernel": (kernel, lambda made: made.invoke_prompt(QUESTION)),
    "ChatCompletionAgent": (
        lambda url: ChatCompletionAgent(service=chat(url), name="helper"),
        lambda agent: agent.get_response(QUESTION),
    ),
}
