"""The OpenAI Agents SDK: models hold the client, providers make it for their first model."""

from agents import (
    Agent,
    MultiProvider,
    OpenAIChatCompletionsModel,
    OpenAIProvider,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
)
from agents.extensions.models.litellm_model import LitellmModel
from openai import AsyncOpenAI

from frameworks.held import KEY, QUESTION, aread


def client(url):
    return AsyncOpenAI(base_url=url, api_key=KEY)


def agent(model):
    return Agent("helper", model=model)


async def ask(model):
    await Runner.run(agent(model), QUESTION)


async def stream(model):
    await aread(Runner.run_streamed(agent(model), QUESTION).stream_events())


async def ask_by(provider):
    await Runner.run(agent("chat"), QUESTION, run_config=RunConfig(model_provider=provider))


HELD = {
    "OpenAIChatCompletionsModel": (
        lambda url: OpenAIChatCompletionsModel("chat", client(url)),
        ask,
        stream,
    ),
    "OpenAIResponsesModel": (lambda url: OpenAIResponsesModel("chat", client(url)), ask, stream),
    "OpenAIProvider": (
        lambda url: OpenAIProvider(base_url=url, api_key=KEY, use_responses=False),
        ask_by,
    ),
    "OpenAIProvider with a client": (lambda url: OpenAIProvider(openai_client=client(url)), ask_by),
    "MultiProvider": (lambda url: MultiProvider(openai_base_url=url, openai_api_key=KEY), ask_by),
    "RunConfig": (
        lambda url: RunConfig(model_provider=OpenAIProvider(base_url=url, api_key=KEY)),
        lambda config: Runner.run(agent("chat"), QUESTION, run_config=config),
    ),
    "Agent": (
        lambda url: agent(OpenAIChatCompletionsModel("chat", client(url))),
        lambda agent: Runner.run(agent, QUESTION),
    ),
    "LitellmModel": (
        lambda url: LitellmModel("litellm_proxy/chat", base_url=url, api_key=KEY),
        ask,
        stream,
    ),
}
