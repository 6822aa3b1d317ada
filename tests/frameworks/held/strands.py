"""Strands: `OpenAIModel` makes a client for each call, unless it was given one."""

from openai import AsyncOpenAI
from strands import Agent
from strands.models.litellm import LiteLLMModel
from strands.models.openai import OpenAIModel
from strands.models.openai_responses import OpenAIResponsesModel

from frameworks.held import KEY, QUESTION


def chat(url):
    return OpenAIModel(client_args={"base_url": url, "api_key": KEY}, model_id="chat")


def with_a_client(url):
    return OpenAIModel(client=AsyncOpenAI(base_url=url, api_key=KEY), model_id="chat")


async def ask(model):
    await Agent(model=model, callback_handler=None).invoke_async(QUESTION)


HELD = {
    "OpenAIModel": (chat, ask),
    "OpenAIModel with a client": (with_a_client, ask),
    "Agent": (
        lambda url: Agent(model=chat(url), callback_handler=None),
        lambda agent: agent.invoke_async(QUESTION),
    ),
    "OpenAIResponsesModel": (
        lambda url: OpenAIResponsesModel(
            client_args={"base_url": url, "api_key": KEY}, model_id="chat"
        ),
        ask,
    ),
    "LiteLLMModel": (
        lambda url: LiteLLMModel(
            client_args={"api_base": url, "api_key": KEY}, model_id="litellm_proxy/chat"
        ),
        ask,
    ),
}
