"""A LlamaIndex stream that is read after its span has ended, in another thread."""

import os
from concurrent.futures import ThreadPoolExecutor

from langfuse import Langfuse
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice

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
with tracer.start_as_current_observation(name="streaming"):
    stream = llm.stream_complete("Say hello.")
with ThreadPoolExecutor(1) as pool:
    print(pool.submit(lambda: "".join(str(part.delta) for part in stream)).result())
tracer.flush()
