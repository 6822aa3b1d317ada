"""The program that is shown: a LangChain chain, traced by Langfuse's handler, asks one question.

Both runs are this code. The one difference is `llm = tracesplice.splice(llm)` before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

from tracesplice_langchain import prompt_template

if TYPE_CHECKING:
    from langfuse.model import ChatPromptClient

__all__ = ["answer", "connect"]


def connect(base_url: str, api_key: str, model: str) -> Any:
    """The model, as the application makes it."""
    return ChatOpenAI(base_url=base_url, api_key=SecretStr(api_key), model=model, max_retries=0)


def answer(llm: Any, prompt: ChatPromptClient, *, model: str, question: str) -> str:
    """Ask the model, in a user's session."""
    chain = prompt_template(prompt) | llm | StrOutputParser()
    metadata = {
        "langfuse_user_id": "ada",
        "langfuse_session_id": "session-1",
        "langfuse_tags": ["demo"],
    }
    config: Any = {"callbacks": [CallbackHandler()], "metadata": metadata}
    return str(chain.invoke({"question": question}, config))
