"""DSPy, whose models call LiteLLM's SDK."""

import os

import dspy
from langfuse import Langfuse
from openinference.instrumentation.dspy import DSPyInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor

import tracesplice
from frameworks.about import About

ABOUT = About(
    library="DSPy",
    packages=("dspy", "litellm", "openinference-instrumentation-dspy"),
    tracing="OpenInference: `DSPyInstrumentor`",
    line="tracesplice.instrument(gateway=GATEWAY)",
    set_up="https://langfuse.com/integrations/frameworks/dspy",
    note=(
        "Name models `litellm_proxy/...`. `dspy.Parallel` needs OpenTelemetry's "
        "`ThreadingInstrumentor`."
    ),
    mechanism="a client of LiteLLM's SDK",
    settings={"DSPY_CACHEDIR": "/nonexistent", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
GATEWAY, KEY = os.environ["LITELLM_PROXY_API_BASE"], os.environ["LITELLM_PROXY_API_KEY"]

langfuse = Langfuse(mask_otel_spans=tracesplice.count_usage_once())
DSPyInstrumentor().instrument()
ThreadingInstrumentor().instrument()  # for dspy.Parallel
tracesplice.instrument(gateway=GATEWAY)

options = {"api_base": GATEWAY, "api_key": KEY, "cache": False}
lm = dspy.LM("litellm_proxy/openai-chat", **options)
dspy.configure(lm=lm)


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}


def asked(question):
    # What DSPy looks for in the answer; the stand-in for a model only repeats the question.
    return f"{question}\n[[ ## reasoning ## ]]\nNone.\n[[ ## answer ## ]]\nYes."


def chat(question):
    return dspy.Predict("question -> answer")(question=asked(question)).answer


async def async_chat(question):
    return (await dspy.ChainOfThought("question -> answer").acall(question=asked(question))).answer


async def stream(question):
    streamed = dspy.streamify(dspy.Predict("question -> answer"))
    return [part async for part in streamed(question=asked(question))][-1].answer


def tool(question):
    call = {"tool_choice": "required", "tools": [TOOL]}
    return lm(question, **call)[0]["tool_calls"][0]["function"]["arguments"]


def threads(question):
    examples = [(dspy.Predict("question -> answer"), {"question": asked(question)})] * 2
    return [each.answer for each in dspy.Parallel(num_threads=2)(examples)]


def responses(question):
    model = dspy.LM("litellm_proxy/openai-chat", model_type="responses", **options)
    return model(question)[0]


CALLS = [chat, async_chat, stream, tool, threads, responses]
