"""Google's Agent Development Kit, with OpenInference's spans."""

import os

from google.adk.agents import Agent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from langfuse import Langfuse
from openinference.instrumentation.google_adk import GoogleADKInstrumentor

import tracesplice
from frameworks.about import About, Limit

ABOUT = About(
    library="Google ADK",
    packages=("google-adk", "openinference-instrumentation-google-adk"),
    tracing="OpenInference: `GoogleADKInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/google-adk",
    environment="google_adk",
    instead="the spans of its own, without an instrumentor",
    limits=(Limit("b", "One generation stands for all calls of a run.", ("tool",)),),
    settings={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
GoogleADKInstrumentor().instrument()
tracesplice.instrument(gateway=GATEWAY)

model = LiteLlm(model="litellm_proxy/openai-chat", api_base=GATEWAY, api_key=KEY)


def weather(city: str) -> str:
    """Say the weather."""
    return f"sunny in {city}"


async def ask(question, *tools, streamed=StreamingMode.NONE):
    agent = Agent(name="helper", model=model, tools=[*tools])
    runner = InMemoryRunner(agent=agent, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="ada")
    said = types.Content(role="user", parts=[types.Part(text=question)])
    events = runner.run_async(
        user_id="ada",
        session_id=session.id,
        new_message=said,
        run_config=RunConfig(streaming_mode=streamed),
    )
    texts = [event.content.parts[0].text async for event in events if event.is_final_response()]
    return texts[-1]


async def chat(question):
    return await ask(question)


async def stream(question):
    return await ask(question, streamed=StreamingMode.SSE)


async def tool(question):
    return await ask(question, weather)


CALLS = [chat, stream, tool]
