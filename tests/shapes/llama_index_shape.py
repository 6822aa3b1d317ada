"""What the modules of LlamaIndex's call shapes share."""

from __future__ import annotations

from llama_index.core import Document
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from pydantic import BaseModel

from shapes.llama_index_application import LlamaIndexApplication
from shapes.shape import OWN, registry

__all__ = ["DOCUMENTS", "App", "Weather", "chat_template", "registry", "template", "weather"]

App = LlamaIndexApplication
DOCUMENTS = [Document(text="fact-2: It is sunny in Oslo.")]


class Weather(BaseModel):
    """The weather in a city."""

    city: str


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"fact-1 of {city}"


def template(app: App, text: str = "{what}", prompt: str = OWN) -> PromptTemplate:
    """A template of LlamaIndex's own, linked to a prompt."""
    return PromptTemplate(text, metadata={"langfuse_prompt": app.prompts[prompt]})


def chat_template(app: App) -> ChatPromptTemplate:
    """A template of messages, linked to a prompt."""
    own = {"langfuse_prompt": app.prompts[OWN]}
    return ChatPromptTemplate([ChatMessage("{what}")], metadata=own)
