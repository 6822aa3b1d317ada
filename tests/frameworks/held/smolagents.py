"""smolagents: models hold the client, agents a model; `LiteLLMModel` calls LiteLLM."""

from smolagents import AzureOpenAIModel, LiteLLMModel, OpenAIModel, OpenAIServerModel
from smolagents import ToolCallingAgent as Agent

from frameworks.held import KEY, MESSAGES, QUESTION, read


def chat(url):
    return OpenAIModel("chat", api_base=url, api_key=KEY)


def azure(url):
    endpoint = url.removesuffix("/v1")
    return AzureOpenAIModel("chat", azure_endpoint=endpoint, api_key=KEY, api_version="2024-10-21")


def ask(model):
    model.generate(MESSAGES)


def stream(model):
    read(model.generate_stream(MESSAGES))


HELD = {
    "OpenAIModel": (chat, ask, stream),
    "OpenAIServerModel": (
        lambda url: OpenAIServerModel("chat", api_base=url, api_key=KEY),
        ask,
        stream,
    ),
    "AzureOpenAIModel": (azure, ask),
    "ToolCallingAgent": (
        lambda url: Agent([], chat(url), max_steps=1),
        lambda agent: agent.run(QUESTION),
    ),
    "LiteLLMModel": (
        lambda url: LiteLLMModel("litellm_proxy/chat", api_base=url, api_key=KEY),
        ask,
        stream,
    ),
}
