"""What the modules of LangChain's call shapes share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from shapes.langchain_application import LangChainApplication
from shapes.shape import OWN, QUESTION, registry

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NESTED", "WHAT", "App", "Weather", "asks", "chain", "events", "registry", "template"]
__all__ += ["weather"]

App = LangChainApplication
# LangChain can pass the config of the runnable around a call, and with it the handler, on to a task
# from Python 3.11 on.
NESTED = ("sync", "async") if sys.version_info >= (3, 11) else ("sync",)
WHAT = {"what": QUESTION}


class Weather(BaseModel):
    """The weather in a city."""

    city: str


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"fact-1 of {city}"


def template(app: App, prompt: str = OWN) -> ChatPromptTemplate:
    metadata = {"langfuse_prompt": app.prompts[prompt]}
    return ChatPromptTemplate([("user", "{what}")], metadata=metadata)


def chain(app: App, prompt: str = OWN) -> Any:
    return template(app, prompt) | app.model() | StrOutputParser()


def asks(
    made: Callable[[App], Any] = App.model, method: str = "invoke", given: Any = QUESTION
) -> Callable[[App], Any]:
    """What asks a runnable by a method."""

    async def run(app: App) -> Any:
        return await app.ask(made(app), method, given, app.config())

    return run


def events(made: Callable[[App], Any], given: Any = QUESTION) -> Callable[[App], Any]:
    """What reads the events of a runnable."""

    async def run(app: App) -> Any:
        stream = made(app).astream_events(given, app.config(), version="v2")
        return [event["event"] async for event in stream]

    return run
