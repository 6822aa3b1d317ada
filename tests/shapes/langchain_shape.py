"""What the modules of LangChain's call shapes share."""

from __future__ import annotations

import sys

from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from shapes.langchain_application import LangChainApplication
from shapes.shape import OWN, registry

__all__ = ["LOST_ON_3_10", "NESTED", "App", "Weather", "registry", "template", "weather"]

App = LangChainApplication
# LangChain can pass the config of the runnable around a call, and with it the handler, on to a task
# from Python 3.11 on.
NESTED = ("sync", "async") if sys.version_info >= (3, 11) else ("sync",)
LOST_ON_3_10 = 1 if sys.version_info >= (3, 11) else None


class Weather(BaseModel):
    """The weather in a city."""

    city: str


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"fact-1 of {city}"


def template(app: App, prompt: str = OWN) -> ChatPromptTemplate:
    metadata = {"langfuse_prompt": app.prompts[prompt]}
    return ChatPromptTemplate([("user", "{what}")], metadata=metadata)
