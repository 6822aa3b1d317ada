"""Langfuse prompts as LangChain templates: each call of a chain is linked to its own."""

import os
import sys

from langchain_core.output_parsers import StrOutputParser
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice
from tracesplice_langchain import prompt_template

name = sys.argv[1] if len(sys.argv) > 1 else "greeting"
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
