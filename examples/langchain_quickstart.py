"""One LangChain call through the gateway: one trace, the gateway's generation under LangChain's."""

import os

from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from pydantic import SecretStr

import tracesplice

tracer = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
llm = tracesplice.splice(
    ChatOpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=SecretStr(os.environ["LITELLM_PROXY_API_KEY"]),
        model=os.environ.get("TRACESPLICE_MODEL", "chat"),
    )
)
config: RunnableConfig = {
    "callbacks": [CallbackHandler()],
    "metadata": {"langfuse_user_id": "ada", "langfuse_session_id": "monday"},
}
print(llm.invoke("Say hello.", config).text)
tracer.flush()
