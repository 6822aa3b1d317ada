"""What a LlamaIndex model is asked for by itself."""

from __future__ import annotations

import copy
import pickle
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import openai
from llama_index.core import Settings
from llama_index.core.llms import ChatMessage
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.core.response_synthesizers.refine import DefaultRefineProgram
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI, OpenAIResponses

from shapes.either import each, first, settle
from shapes.llama_index_shape import App, Weather, chat_template, registry, template, weather
from shapes.shape import OWN, QUESTION, QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SHAPES"]

SHAPES, shape = registry()
MESSAGES = [ChatMessage(role="user", content=QUESTION)]
TOOL = [FunctionTool.from_defaults(weather)]
PROMPT = {"prompts": (OWN,)}
COMPLETION: dict[str, Any] = {"model": "openai-completion", "is_chat_model": False}
BY_TOOL: dict[str, Any] = {"model": "tools"}
BY_SCHEMA: dict[str, Any] = {"should_use_structured_outputs": True}
OF_OPENAI = {"kind": OpenAI}


def asks(method: str, *given: Any, of: Any = None, how: Any = None, **said: Any) -> Any:
    """What asks a model, that has such options, by a method; `how` makes something of the model."""

    async def run(app: App) -> Any:
        model = app.model(**(of or {}))
        asked = how(model) if how else model
        return await app.ask(asked, method, *_filled(app, given), **said)

    return run


def _filled(app: App, given: tuple[Any, ...]) -> list[Any]:
    return [each(app) if each in (template, text) else each for each in given]


def text(app: App) -> str:
    """Text that was made of a template."""
    return template(app).format(what=QUESTION)


def _structured(model: Any) -> Any:
    return model.as_structured_llm(Weather)


for of, name in ((None, "OpenAILike"), (COMPLETION, "OpenAILike(is_chat_model=False)")):
    shape(f"{name}.complete", asks("complete", QUESTION, of=of))
    shape(f"{name}.stream_complete", asks("stream_complete", QUESTION, of=of))
    shape(f"{name}.chat", asks("chat", MESSAGES, of=of))
    shape(f"{name}.predict", asks("predict", template, what=QUESTION, of=of), **PROMPT)
shape("OpenAILike.stream_chat", asks("stream_chat", MESSAGES))
shape("OpenAILike.stream", asks("stream", template, what=QUESTION), **PROMPT)
for of, name in ((BY_TOOL, "a tool"), (BY_SCHEMA, "a schema")):
    for method in ("structured_predict", "stream_structured_predict"):
        run = asks(method, Weather, template, what=QUESTION, of=of)
        shape(f"OpenAILike.{method}, by {name}", run, **PROMPT)
for method in ("chat_with_tools", "stream_chat_with_tools", "predict_and_call"):
    shape(f"OpenAILike.{method}", asks(method, TOOL, text, of=BY_TOOL), **PROMPT)
for method, of in (("chat", BY_TOOL), ("stream_chat", BY_SCHEMA)):
    shape(f"as_structured_llm, {method}", asks(method, MESSAGES, of=of, how=_structured))
shape("OpenAI.chat", asks("chat", MESSAGES, of=OF_OPENAI))
shape("OpenAI.stream_complete", asks("stream_complete", QUESTION, of=OF_OPENAI))
for method, given in (("chat", MESSAGES), ("stream_chat", MESSAGES), ("stream_complete", QUESTION)):
    shape(f"OpenAIResponses.{method}", asks(method, given, of={"kind": OpenAIResponses}))


@shape("OpenAILike.stream_chat, left early")
async def stream_left(app: App) -> Any:
    stream = await app.call(app.model(), "stream_chat", MESSAGES)
    read = [part.delta async for part in first(each(stream))]
    await settle(stream.aclose() if app.is_async else stream.close())
    return read


@shape("OpenAILike.stream_complete, read in a thread", kinds=("sync",), opens_span=True)
async def stream_thread(app: App) -> Any:
    answers: list[Any] = []
    with app.span("asked here"):
        chunks = app.model().stream_complete(QUESTION)
        thread = threading.Thread(target=lambda: answers.extend(chunks))
        thread.start()
        thread.join()
    return [part.delta for part in answers]


def elsewhere(method: str, *given: Any, of: Any = None, how: Any = None, **said: Any) -> Any:
    """What asks for a stream in one place and reads it in another."""

    async def run(app: App) -> Any:
        model = app.model(**(of or {}))
        with app.span("asked here"):
            asked = how(model) if how else model
            chunks = await app.call(asked, method, *_filled(app, given), **said)
        return len([chunk async for chunk in each(chunks)])

    return run


ELSEWHERE: dict[str, Callable[..., Any]] = {
    "OpenAILike.stream_complete": elsewhere("stream_complete", QUESTION),
    "OpenAILike.stream": elsewhere("stream", template, what=QUESTION),
    "OpenAILike.stream_structured_predict": elsewhere(
        "stream_structured_predict", Weather, template, what=QUESTION, of=BY_SCHEMA
    ),
    "as_structured_llm, stream_chat": elsewhere(
        "stream_chat", MESSAGES, of=BY_SCHEMA, how=_structured
    ),
}
for name, run in ELSEWHERE.items():
    more = PROMPT if name.endswith(("stream", "predict")) else {}
    shape(f"{name}, read elsewhere", run, opens_span=True, **more)


def _made(app: App, kind: Any) -> Any:
    options = {"output_cls": Weather, "llm": app.model("tools")}
    return kind.from_defaults(prompt=chat_template(app), **options)


def _program(kind: Any, method: str) -> Any:
    async def run(app: App) -> Any:
        name = f"a{method}" if app.is_async else {"call": "__call__"}.get(method, method)
        # The text that the rig's model answers is no JSON.
        with suppress(ValueError):
            answer = await settle(getattr(_made(app, kind), name)(what=QUESTION))
            return len([part async for part in each(answer)]) if "stream" in method else answer

    return run


for program in (FunctionCallingProgram, LLMTextCompletionProgram):
    shape(program.__name__, _program(program, "call"), **PROMPT)
    shape(f"{program.__name__}, streamed", _program(program, "stream_call"), **PROMPT)


@shape("FunctionCallingProgram, streamed, read elsewhere", opens_span=True, **PROMPT)
async def program_elsewhere(app: App) -> Any:
    return await _read_elsewhere(app, _made(app, FunctionCallingProgram))


@shape("DefaultRefineProgram, streamed, read elsewhere", opens_span=True, **PROMPT)
async def refine_elsewhere(app: App) -> Any:
    program = DefaultRefineProgram(template(app), app.model("tools"), Weather)
    return await _read_elsewhere(app, program)


async def _read_elsewhere(app: App, program: Any) -> int:
    with app.span("asked here"):
        parts = await app.call(program, "stream_call", what=QUESTION)
    return len([part async for part in each(parts)])


@shape("OpenAILike.chat that fails")
async def failed(app: App) -> Any:
    try:
        await app.call(app.model("broken"), "chat", MESSAGES)
    except openai.APIStatusError as error:
        return error.status_code


@shape("OpenAILike(reuse_client=False).chat")
async def own_client(app: App) -> Any:
    # It closes its client after the call, and with it whatever it was given.
    model = app.model(reuse_client=False, http_client=None, async_http_client=None)
    return await app.call(model, "chat", MESSAGES)


@shape("OpenAILike.chat, options of the call")
async def call_options(app: App) -> Any:
    headers = app.given({"x-team": "red"})
    model = app.model(default_headers=app.given({"x-team": "blue"}), additional_kwargs={})
    extra = app.given({"metadata": {"team": "red"}})
    options = {"extra_body": extra, "extra_headers": headers, "user": "bob"}
    return await app.call(model, "chat", MESSAGES, **options)


@shape("OpenAILike(max_retries=1).chat after a 503", generations=2)
async def sdk_retry(app: App) -> Any:
    question = ChatMessage(f"{QUESTION} [[fail-once:503:{uuid4().hex}]]")
    return (await app.call(app.model(max_retries=1), "chat", [question])).message.content


@shape("Settings.llm")
async def settings(app: App) -> Any:
    Settings.llm = app.model()
    return await app.call(Settings.llm, "complete", QUESTION)


@shape("Settings, spliced with what is assigned to it")
async def spliced_settings(app: App) -> Any:
    Settings.llm = app.plain_model()
    Settings.embed_model = app.plain_embeddings()
    app.splice(Settings)
    return await app.call(Settings.llm, "complete", QUESTION)


@shape("copies of a spliced model", calls=2)
async def copied(app: App) -> Any:
    model = app.model(http_client=None, async_http_client=None)
    answers = []
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    for question, made in zip(QUESTIONS, copies, strict=True):
        answers.append(await app.call(made, "complete", question))
        await settle((made._get_aclient() if app.is_async else made._get_client()).close())
    return answers
