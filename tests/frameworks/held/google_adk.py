"""Google's Agent Development Kit: models call LiteLLM, or a client that is given or made late."""

from google.adk.integrations.openai import OpenAILlm
from google.adk.models.lite_llm import LiteLlm
from google.adk.models.llm_request import LlmRequest
from google.genai import types
from openai import AsyncOpenAI

from frameworks.held import KEY, QUESTION, aread


async def ask(model):
    said = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    await aread(model.generate_content_async(LlmRequest(contents=[said])))


async def stream(model):
    said = types.Content(role="user", parts=[types.Part(text=QUESTION)])
    await aread(model.generate_content_async(LlmRequest(contents=[said]), stream=True))


HELD = {
    "LiteLlm": (
        lambda url: LiteLlm(model="litellm_proxy/chat", api_base=url, api_key=KEY),
        ask,
        stream,
    ),
    "OpenAILlm": (lambda url: OpenAILlm(model="chat", base_url=url, api_key=KEY), ask, stream),
    "OpenAILlm with a client": (
        lambda url: OpenAILlm(model="chat", client=AsyncOpenAI(base_url=url, api_key=KEY)),
        ask,
    ),
}
