"""What a LlamaIndex model is asked for by itself."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from uuid import uuid4

import openai
from llama_index.core import Settings
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI

from shapes.either import settle
from shapes.llama_index_application import QUESTION
from shapes.llama_index_shape import App, Weather, registry, template, weather
from shapes.shape import OWN

__all__ = ["SHAPES"]

SHAPES, shape = registry()


def _messages(question: str = QUESTION) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=question)]


@shape("OpenAILike.complete")
async def complete(app: App) -> Any:
    return (await app.call(app.model(), "complete", QUESTION)).text


@shape("OpenAILike.stream_complete")
async def stream_complete(app: App) -> Any:
    return [part.delta for part in await app.stream(app.model(), "stream_complete", QUESTION)]


@shape("OpenAILike.chat")
async def chat(app: App) -> Any:
    return (await app.call(app.model(), "chat", _messages())).message.content


@shape("OpenAILike.stream_chat")
async def stream_chat(app: App) -> Any:
    return [part.delta for part in await app.stream(app.model(), "stream_chat", _messages())]


@shape("OpenAILike.stream_chat, left early")
async def stream_left(app: App) -> Any:
    stream = await app.call(app.model(), "stream_chat", _messages())
    if not app.is_async:
        first = next(stream)
        stream.close()
        return first.delta
    first = await anext(stream)
    await stream.aclose()
    return first.delta


@shape("OpenAILike.chat that fails")
async def failed(app: App) -> Any:
    try:
        await app.call(app.model("broken"), "chat", _messages())
    except openai.APIStatusError as error:
        return error.status_code


@shape("OpenAILike(is_chat_model=False).complete")
async def completion(app: App) -> Any:
    model = app.model("completion", is_chat_model=False)
    return (await app.call(model, "complete", QUESTION)).text


@shape("OpenAILike(is_chat_model=False).stream_complete")
async def completion_stream(app: App) -> Any:
    model = app.model("openai-completion", is_chat_model=False)
    return [part.delta for part in await app.stream(model, "stream_complete", QUESTION)]


@shape("OpenAILike(is_chat_model=False).chat")
async def completion_chat(app: App) -> Any:
    model = app.model("completion", is_chat_model=False)
    return (await app.call(model, "chat", _messages())).message.content


@shape("OpenAILike(is_chat_model=False).predict", prompts=(OWN,))
async def completion_predict(app: App) -> Any:
    model = app.model("completion", is_chat_model=False)
    return await app.call(model, "predict", template(app), what=QUESTION)


@shape("OpenAILike.predict", prompts=(OWN,))
async def predict(app: App) -> Any:
    return await app.call(app.model(), "predict", template(app), what=QUESTION)


@shape("OpenAILike.stream", prompts=(OWN,))
async def stream(app: App) -> Any:
    return await app.stream(app.model(), "stream", template(app), what=QUESTION)


@shape("OpenAILike.structured_predict, by a tool", prompts=(OWN,))
async def structured_predict(app: App) -> Any:
    model = app.model("tools")
    return await app.call(model, "structured_predict", Weather, template(app), what=QUESTION)


@shape("OpenAILike.structured_predict, by a schema", prompts=(OWN,))
async def structured_schema(app: App) -> Any:
    model = app.model(should_use_structured_outputs=True)
    return await app.call(model, "structured_predict", Weather, template(app), what=QUESTION)


@shape("OpenAILike.stream_structured_predict", prompts=(OWN,))
async def stream_structured(app: App) -> Any:
    model = app.model(should_use_structured_outputs=True)
    parts = await app.stream(
        model, "stream_structured_predict", Weather, template(app), what=QUESTION
    )
    return parts[-1].city


@shape("OpenAILike.stream_structured_predict, by a tool", prompts=(OWN,))
async def stream_structured_tool(app: App) -> Any:
    model = app.model("tools")
    parts = await app.stream(
        model, "stream_structured_predict", Weather, template(app), what=QUESTION
    )
    return parts[-1].city


@shape("OpenAILike.chat_with_tools")
async def chat_with_tools(app: App) -> Any:
    model = app.model("tools")
    tool = FunctionTool.from_defaults(weather)
    answer = await app.call(model, "chat_with_tools", [tool], user_msg=QUESTION)
    return [each.tool_name for each in model.get_tool_calls_from_response(answer)]


@shape("OpenAILike.stream_chat_with_tools")
async def stream_chat_with_tools(app: App) -> Any:
    tool = FunctionTool.from_defaults(weather)
    model = app.model("tools")
    return len(await app.stream(model, "stream_chat_with_tools", [tool], user_msg=QUESTION))


@shape("OpenAILike.predict_and_call")
async def predict_and_call(app: App) -> Any:
    tool = FunctionTool.from_defaults(weather)
    answer = await app.call(app.model("tools"), "predict_and_call", [tool], user_msg=QUESTION)
    return answer.response


@shape("as_structured_llm, chat")
async def structured_llm(app: App) -> Any:
    model = app.model("tools").as_structured_llm(Weather)
    return (await app.call(model, "chat", _messages())).message.content


@shape("as_structured_llm, stream_chat")
async def structured_llm_stream(app: App) -> Any:
    model = app.model(should_use_structured_outputs=True).as_structured_llm(Weather)
    return (await app.stream(model, "stream_chat", _messages()))[-1].message.content


@shape("OpenAILike(reuse_client=False).chat")
async def own_client(app: App) -> Any:
    # It closes its client after the call, and with it whatever it was given.
    model = app.model(reuse_client=False, http_client=None, async_http_client=None)
    return (await app.call(model, "chat", _messages())).message.content


@shape("OpenAILike.chat, options of the call")
async def call_options(app: App) -> Any:
    headers = app.given({"x-team": "red"})
    model = app.model(default_headers=app.given({"x-team": "blue"}), additional_kwargs={})
    extra = app.given({"metadata": {"team": "red"}})
    options = {"extra_body": extra, "extra_headers": headers, "user": "bob"}
    return (await app.call(model, "chat", _messages(), **options)).message.content


@shape("OpenAILike(max_retries=1).chat after a 503", generations=2)
async def sdk_retry(app: App) -> Any:
    question = f"{QUESTION} [[fail-once:503:{uuid4().hex}]]"
    return (await app.call(app.model(max_retries=1), "chat", _messages(question))).message.content


@shape("OpenAI.chat")
async def openai_chat(app: App) -> Any:
    return (await app.call(app.model("gpt-4o-mini", OpenAI), "chat", _messages())).message.content


@shape("OpenAI.stream_complete")
async def openai_stream(app: App) -> Any:
    model = app.model("gpt-4o-mini", OpenAI)
    return [part.delta for part in await app.stream(model, "stream_complete", QUESTION)]


@shape("OpenAIResponses.chat")
async def responses(app: App) -> Any:
    return (await app.call(app.responses_model(), "chat", _messages())).message.content


@shape("OpenAIResponses.stream_chat")
async def responses_stream(app: App) -> Any:
    parts = await app.stream(app.responses_model(), "stream_chat", _messages())
    return [part.delta for part in parts]


@shape("OpenAIResponses.stream_complete")
async def responses_complete(app: App) -> Any:
    parts = await app.stream(app.responses_model(), "stream_complete", QUESTION)
    return [part.delta for part in parts]


@shape("Settings.llm")
async def settings(app: App) -> Any:
    Settings.llm = app.model()
    return (await app.call(Settings.llm, "complete", QUESTION)).text


@shape("Settings, spliced with what is assigned to it")
async def spliced_settings(app: App) -> Any:
    Settings.llm = app.plain_model()
    Settings.embed_model = app.plain_embeddings()
    app.splice(Settings)
    return (await app.call(Settings.llm, "complete", QUESTION)).text


@shape("copies of a spliced model", generations=2, observations=2)
async def copied(app: App) -> Any:
    model = app.model(http_client=None, async_http_client=None)
    answers = []
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    for question, each in zip(("question-1", "question-2"), copies, strict=True):
        answers.append((await app.call(each, "complete", question)).text)
        await settle((each._get_aclient() if app.is_async else each._get_client()).close())
    return answers
