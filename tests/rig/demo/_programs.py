"""The programs the demo shows, one for each framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rig.demo import _program

if TYPE_CHECKING:
    from collections.abc import Callable

    from langfuse.model import ChatPromptClient

__all__ = ["PROGRAMS", "Answer", "Program"]


class Answer(Protocol):
    """Asks one question through the framework's object."""

    def __call__(
        self, client: Any, prompt: ChatPromptClient, *, model: str, question: str
    ) -> str: ...


@dataclass(frozen=True)
class Program:
    """One program.

    `connect` makes the framework's object from the gateway's address and key; `answer` asks one
    question through it. `made` is the line that makes it, as the panels' headings show it.
    """

    name: str
    title: str
    made: str
    connect: Callable[[str, str], Any]
    answer: Answer


PROGRAMS = [
    Program("openai", "OpenAI SDK", "OpenAI(base_url=GATEWAY)", _program.connect, _program.answer),
]
