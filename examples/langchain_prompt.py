"""Langfuse prompts as LangChain templates: each call of a chain is linked to its own."""

from __future__ import annotations

import os
import sys

from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice
from tracesplice_langchain import prompt_template


def main(name: str) -> None:
    """Ask with the prompt ``name`` of your Langfuse project."""
    tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    llm = tracesplice.splice(
        ChatOpenAI(
            base_url=os.environ["LITELLM_PROXY_API_BASE"],
            api_key=SecretStr(os.environ["LITELLM_PROXY_API_KEY"]),
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        )
    )
    prompt = tracer.get_prompt(name, fallback="Say hello.")
    if prompt.is_fallback:
        print(f"Langfuse has no prompt {name!r}: the fallback is used, and never linked.")
    chain = prompt_template(prompt) | llm | StrOutputParser()
    print(chain.invoke({}, {"callbacks": [CallbackHandler()]}))
    tracer.flush()


NEEDED = (
    "LITELLM_PROXY_API_BASE",
    "LITELLM_PROXY_API_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
)
if __name__ == "__main__":
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"Set {', '.join(missing)} first; examples/README.md says to what.")
    main(sys.argv[1] if len(sys.argv) > 1 else "greeting")
