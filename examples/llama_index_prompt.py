"""Langfuse prompts as LlamaIndex templates: each call made of one is linked to it."""

import os
import sys

from langfuse import Langfuse
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice
from tracesplice_llama_index import prompt_template

name = sys.argv[1] if len(sys.argv) > 1 else "greeting"
tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
LlamaIndexInstrumentor().instrument()
llm = tracesplice.splice(
    OpenAILike(
        api_base=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        is_chat_model=True,
    )
)
prompt = tracer.get_prompt(name, fallback="Say hello.")
if prompt.is_fallback:
    print(f"Langfuse has no prompt {name!r}: the fallback is used, and never linked.")
print(llm.predict(prompt_template(prompt)))
tracer.flush()
