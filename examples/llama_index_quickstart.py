"""A LlamaIndex query engine: set ``Settings.llm`` once, and every call is in its trace."""

import os

from langfuse import Langfuse, propagate_attributes
from llama_index.core import Document, Settings, SummaryIndex
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

import tracesplice

tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
LlamaIndexInstrumentor().instrument()
Settings.llm = tracesplice.splice(
    OpenAILike(
        api_base=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
        is_chat_model=True,
    )
)
with (
    tracer.start_as_current_observation(name="quickstart"),
    propagate_attributes(user_id="ada", session_id="monday"),
):
    index = SummaryIndex.from_documents([Document(text="It is sunny in Oslo.")])
    print(index.as_query_engine().query("How is the weather in Oslo?"))
tracer.flush()
