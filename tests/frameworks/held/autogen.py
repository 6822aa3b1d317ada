"""AutoGen: clients hold an OpenAI client, and make a new one when they are copied."""

from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import UserMessage
from autogen_ext.models.openai import AzureOpenAIChatCompletionClient, OpenAIChatCompletionClient

from frameworks.held import KEY, QUESTION, aread

ASKED = [UserMessage(content=QUESTION, source="user")]
INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": True,
    "family": "unknown",
    "structured_output": True,
}


def chat(url):
    return OpenAIChatCompletionClient(model="chat", base_url=url, api_key=KEY, model_info=INFO)


def azure(url):
    return AzureOpenAIChatCompletionClient(
        model="chat",
        azure_endpoint=url.removesuffix("/v1"),
        azure_deployment="chat",
        api_version="2024-10-21",
        api_key=KEY,
        model_info=INFO,
    )


HELD = {
    "OpenAIChatCompletionClient": (
        chat,
        lambda client: client.create(ASKED),
        lambda client: aread(client.create_stream(ASKED)),
    ),
    "AzureOpenAIChatCompletionClient": (azure, lambda client: client.create(ASKED)),
    "AssistantAgent": (
        lambda url: AssistantAgent("helper", model_client=chat(url)),
        lambda agent: agent.run(task=QUESTION),
    ),
}
