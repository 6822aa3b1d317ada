"""The program that is shown: an OpenAI application, traced by Langfuse, that asks one question.

Both runs are this code. The one difference is `client = tracesplice.splice(client)` before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langfuse import get_client, propagate_attributes

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient

__all__ = ["answer", "connect"]


def connect(base_url: str, api_key: str, model: str) -> Any:
    """The client, as the application makes it."""
    # It patches the SDK for the rest of the process: no earlier than needed.
    from langfuse.openai import OpenAI  # type: ignore[attr-defined]  # it re-exports the SDK's

    return OpenAI(base_url=base_url, api_key=api_key, max_retries=0)


def answer(client: Any, prompt: ChatPromptClient, *, model: str, question: str) -> str:
    """Ask the model, in an observation of a user's session."""
    with (
        get_client().start_as_current_observation(name="answer-question"),
        propagate_attributes(user_id="ada", session_id="session-1", tags=["demo"]),
    ):
        completion = client.chat.completions.create(
            model=model,
            messages=prompt.compile(question=question),
            langfuse_prompt=prompt,
        )
    return str(completion.choices[0].message.content)
