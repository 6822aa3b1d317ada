"""The calls that are run whole, from the framework to what Langfuse shows, in every gateway mode.

That each call shape sends the right request is proved by `tests/shapes`, and that each request is
understood by `test_forms.py`. Left is what happens between the two and after the answer: here is
each method that models are called with, and what has a course of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.harness import Cell
from shapes.anthropic_application import AnthropicApplication
from shapes.anthropic_shapes import SHAPES as ANTHROPIC
from shapes.langchain_application import LangChainApplication
from shapes.langchain_shapes import SHAPES as LANGCHAIN
from shapes.litellm_application import LiteLLMApplication
from shapes.litellm_shapes import SHAPES as LITELLM
from shapes.llama_index_application import LlamaIndexApplication
from shapes.llama_index_shapes import SHAPES as LLAMA_INDEX
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES as OPENAI
from tracesplice_testing.gateway import GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.harness import Framework
    from shapes.shape import Shape

__all__ = ["CELLS", "REASONS"]

# Call, kind, client tracer, whether in a span, and what no other call of the list shows.
# `langfuse.openai` patches the SDK for the rest of the process, so it comes last.
_WHOLE = """
Anthropic SDK
messages.create | sync | the SDK's spans | span | the plain call
messages.create | async | OpenLLMetry | no span | a tracer that makes no span current
messages.create, stream | async | the SDK's spans | no span | usage comes first, and last
messages.create, stream left early | sync | untraced | span | usage is not read
messages.stream, text_stream | async | OpenInference | span | a request that is sent on entering
messages.create, of chat | sync | OpenInference | no span | Ollama behind it
tool call and its result | sync | the SDK's spans | span | a result in a user's message
beta.messages.tool_runner | async | the SDK's spans | span | an agent's span around two calls
retry after a 503 | sync | the SDK's spans | no span | a retry
failed call | sync | the SDK's spans | span | an error
LangChain
ChatOpenAI.invoke | sync | CallbackHandler | no span | the plain call
ChatOpenAI.stream | async | CallbackHandler | span | usage comes last, with a chunk
ChatOpenAI.stream, left early | sync | CallbackHandler | span | usage never comes
ChatOpenAI.batch | sync | CallbackHandler | span | calls in threads
ChatOpenAI.generate, two inputs | async | CallbackHandler | no span | two requests of one call
ChatOpenAI.astream_events | async | CallbackHandler | no span | a stream of the run's events
ChatOpenAI(use_responses_api=True).invoke | async | CallbackHandler | span | Responses
ChatOpenAI(use_responses_api=True).stream | sync | CallbackHandler | no span | Responses, streamed
ChatOpenAI(max_retries=1).invoke after a 503 | sync | CallbackHandler | span | a retry
AzureChatOpenAI.invoke | async | CallbackHandler | no span | Azure's client
two prompts in one chain | async | CallbackHandler | no span | a prompt for each call of a trace
user, session and tags in the metadata | async | CallbackHandler | span | the handler's users
RunnableParallel of two models | async | CallbackHandler | no span | two at the same time
with_structured_output, JSON schema | sync | OpenInference | span | another tracer
with_fallbacks after a failure | async | CallbackHandler | span | a failed call costs nothing
create_agent with a tool | async | CallbackHandler | no span | an agent
graph, interrupted and resumed | sync | CallbackHandler | span | two runs in one trace
OpenAIEmbeddings | async | CallbackHandler | span | a call that no tracer describes
ChatLiteLLM.stream | async | CallbackHandler | no span | a model on LiteLLM's SDK
ChatLiteLLM, Responses | sync | CallbackHandler | span | its Responses
LlamaIndex
LiteLLM.stream_complete | async | OpenInference | no span | a model on LiteLLM's SDK
OpenAILike.complete | sync | OpenInference | no span | the plain call
OpenAILike.chat | async | untraced | span | the gateway's generation is the only one
OpenAILike.stream_complete | async | OpenInference | no span | a stream that is sent when read
OpenAILike.stream_chat | sync | OpenInference | span | two spans around a call
OpenAILike.chat that fails | sync | OpenInference | span | two failed spans cost nothing
OpenAILike(is_chat_model=False).complete | async | OpenInference | span | legacy completions
OpenAILike(is_chat_model=False).stream_complete | sync | OpenInference | no span | their stream
OpenAILike.predict | async | OpenInference | no span | a template names the prompt
OpenAILike.stream | sync | OpenInference | span | a template of a stream
OpenAILike.structured_predict, by a tool | sync | OpenInference | no span | the answer is a model
OpenAILike.stream_structured_predict, by a schema | async | OpenInference | span | parts of a model
OpenAILike.chat_with_tools | async | OpenInference | no span | tools
OpenAILike(max_retries=1).chat after a 503 | async | OpenInference | span | a retry
OpenAIResponses.chat | sync | OpenInference | no span | Responses
OpenAIResponses.stream_chat | async | OpenInference | span | Responses, streamed
query engine, own templates | sync | OpenInference | no span | a prompt for each step
chat engine with memory | async | OpenInference | span | a conversation
FunctionAgent with a tool | async | OpenInference | no span | an agent in a workflow
OpenAILikeEmbedding.get_query_embedding | sync | OpenInference | no span | an embedding is counted
LiteLLM SDK
completion, litellm_proxy/ | sync | OpenInference | span | the plain call
completion, litellm_proxy/, stream | async | OpenInference | no span | usage comes last
responses, litellm_proxy/ | sync | OpenInference | no span | Responses, by LiteLLM's own handler
responses, litellm_proxy/, stream | async | OpenInference | span | Responses, streamed
embedding, openai/ | sync | OpenInference | span | an embedding is counted
text_completion, openai/ | async | OpenInference | span | a call that no tracer describes
rerank, hosted_vllm/ | sync | OpenInference | span | a route of another provider's
batch_completion | sync | OpenInference | span | calls in threads
completion(fallbacks=...) after a failure | async | OpenInference | span | two models
Router.completion | async | OpenInference | no span | a Router
OpenAI SDK
chat.completions.create | async | untraced | span | the gateway's generation is the only one
chat.completions.create | sync | langfuse.openai | no span | the plain call
chat.completions.create, stream | async | langfuse.openai | span | usage comes last, with a chunk
chat.completions.create, stream left early | sync | langfuse.openai | span | usage never comes
chat.completions.parse | async | langfuse.openai | no span | another method
chat.completions.stream | sync | langfuse.openai | span | a helper around a stream
chat.completions.with_streaming_response.create | async | langfuse.openai | span | a raw answer
tool call and its result | sync | langfuse.openai | no span | a prompt in each of two traces
retry after a 503 | async | langfuse.openai | span | a retry
failed call | sync | langfuse.openai | no span | a failed call costs nothing
calls side by side | async | langfuse.openai | span | four at the same time
responses.create | sync | langfuse.openai | no span | Responses
responses.create, stream | async | langfuse.openai | span | Responses, streamed
embeddings.create | sync | langfuse.openai | no span | an embedding is counted
completions.create | async | langfuse.openai | no span | legacy completions
audio.transcriptions.create | sync | langfuse.openai | span | a form
"""

_CATALOGS: dict[str, tuple[Framework, list[Shape]]] = {
    AnthropicApplication.name: (AnthropicApplication, ANTHROPIC),
    LangChainApplication.name: (LangChainApplication, LANGCHAIN),
    LiteLLMApplication.name: (LiteLLMApplication, LITELLM),
    LlamaIndexApplication.name: (LlamaIndexApplication, LLAMA_INDEX),
    OpenAIApplication.name: (OpenAIApplication, OPENAI),
}


def _whole() -> Iterator[tuple[Cell, str]]:
    framework, shapes = _CATALOGS["LangChain"]
    for line in _WHOLE.strip().splitlines():
        if line in _CATALOGS:
            framework, shapes = _CATALOGS[line]
            continue
        call, kind, tracer, around, reason = line.split(" | ")
        [shape] = [each for each in shapes if each.name == call]
        kind = kind if kind in shape.kinds else shape.kinds[0]  # Python 3.10 has less of LangChain
        for mode in GatewayMode:
            yield Cell(framework, shape, kind, mode, around == "span", tracer), reason


REASONS = dict(_whole())
"""Why each cell is there."""

CELLS = [*REASONS]
