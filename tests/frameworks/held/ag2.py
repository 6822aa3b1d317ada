"""AG2: a client holds an OpenAI client; agents make one of their configuration for each run."""

from ag2 import Agent
from ag2.config import OpenAIConfig, OpenAIResponsesConfig

from frameworks.held import KEY


def at(kind, url):
    return kind(model="chat", base_url=url, api_key=KEY)


HELD = {
    "OpenAIConfig": (lambda url: at(OpenAIConfig, url),),
    "OpenAIResponsesConfig": (lambda url: at(OpenAIResponsesConfig, url),),
    "Agent": (lambda url: Agent("helper", config=at(OpenAIConfig, url)),),
}
