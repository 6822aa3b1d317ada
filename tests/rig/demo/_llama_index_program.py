"""The program that is shown: LlamaIndex, traced by OpenInference's instrumentor, asks one question.

Both runs are this code. The one difference is `llm = tracesplice.splice(llm)` before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langfuse import propagate_attributes
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

from tracesplice_llama_index import prompt_template

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient

__all__ = ["answer", "connect"]


def connect(base_url: str, api_key: str, model: str) -> Any:
    """The model, as the application makes it."""
    return OpenAILike(
        api_base=base_url, api_key=api_key, model=model, is_chat_model=True, max_retries=0
    )


def answer(llm: Any, prompt: ChatPromptClient, *, model: str, question: str) -> str:
    """Ask the model, in a user's session."""
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument()
    try:
        with propagate_attributes(user_id="ada", session_id="session-1", tags=["demo"]):
            return str(llm.predict(prompt_template(prompt), question=question))
    finally:
        instrumentor.uninstrument()
