"""The programs the demo shows, one for each framework."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient

__all__ = ["PROGRAMS", "Code", "Program"]


class Code(Protocol):
    """What the module of a program has."""

    def connect(self, base_url: str, api_key: str, model: str) -> Any:
        """Make the framework's object from the gateway's address, its key and a model's name."""

    def answer(self, client: Any, prompt: ChatPromptClient, *, model: str, question: str) -> str:
        """Ask one question through it."""


@dataclass(frozen=True)
class Program:
    """One program; `made` is the line that makes the framework's object, as the panels show it."""

    name: str
    title: str
    made: str
    module: str

    def load(self) -> Code:
        """The program itself; the first time, this imports its framework."""
        return cast("Code", import_module(self.module))


PROGRAMS = [
    Program(
        "langchain",
        "LangChain",
        "llm = ChatOpenAI(base_url=GATEWAY, model=MODEL)",
        "rig.demo._langchain_program",
    ),
    Program(
        "llama_index",
        "LlamaIndex",
        "llm = OpenAILike(api_base=GATEWAY, model=MODEL)",
        "rig.demo._llama_index_program",
    ),
    # Last: it imports langfuse.openai, which then traces the SDK inside other frameworks as well.
    Program(
        "openai",
        "OpenAI SDK",
        "client = OpenAI(base_url=GATEWAY)",
        "rig.demo._openai_program",
    ),
]
