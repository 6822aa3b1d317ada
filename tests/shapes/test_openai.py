"""Every call of the OpenAI SDK, with and without a span, with `langfuse.openai` and without."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langfuse import propagate_attributes

import tracesplice
from conformance.checks import ATTRIBUTES
from conformance.forms import FORMS, Form, form_of
from conformance.harness import UNTRACED, Cell, run_unspliced
from shapes.conftest import SDK_TRACER
from shapes.either import TLS
from shapes.openai_application import OpenAIApplication
from shapes.openai_shapes import SHAPES
from shapes.repairs import TABLE, unproved
from shapes.wire import WireStage, plain, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shapes.outcomes import Outcomes

NAME = OpenAIApplication.name
PACKAGES = ("openai", "langfuse")
CELLS = [
    Cell(OpenAIApplication, shape, kind, None, enclosed, tracer)
    for tracer in (UNTRACED, SDK_TRACER)
    for shape in SHAPES
    for kind in shape.kinds
    for enclosed in (True, False)
]
# What no shape makes: written by the caller's own hand.
ODD = {
    str(Form("/chat/completions", ids="header", prompt=False)): {"litellm_metadata": "no JSON"},
    str(Form("/chat/completions", prompt=False)): {},
}


@pytest.fixture
def client(stage: WireStage) -> Iterator[openai.OpenAI]:
    stage.clear()
    http = openai.DefaultHttpxClient(verify=TLS)
    with openai.OpenAI(base_url=stage.wire.url, api_key="sk-any", http_client=http) as made:
        yield tracesplice.splice(made)


@pytest.mark.parametrize("form", ODD)
def test_what_callers_may_make_of_a_form(
    stage: WireStage, client: openai.OpenAI, form: str
) -> None:
    with propagate_attributes(**ATTRIBUTES), stage.langfuse.start_as_current_observation(name="s"):
        messages: Any = [{"role": "user", "content": "hi"}]
        client.chat.completions.create(model="chat", messages=messages, extra_body=ODD[form])
    assert [str(form_of(each)) for each in stage.wire.model.calls] == [form]


# What a link loses on its way: the checks that see it, in a span and where no trace is open.
LOST = {
    "existing_trace_id": ("abd", ""),
    "parent_observation_id": ("b", ""),
    "traceparent": ("b", ""),
    "x-tracesplice-project": ("b", ""),
    "trace_id": ("", "b"),
    "prompt": ("c", "c"),
    "trace_user_id": ("d", "d"),
    "trace_session_id": ("d", ""),
    "session_id": ("d", "d"),
    "trace_tags": ("d", ""),
    "tags": ("d", "d"),
    "update_trace_keys": ("d", ""),
    "trace_name": ("d", "d"),
    "version": ("d", "d"),
    "trace_metadata": ("d", "d"),
    "trace_environment": ("di", "d"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_a_link_loses_is_seen(stage: WireStage, name: str) -> None:
    [shape] = [each for each in SHAPES if each.name == "chat.completions.create"]
    cell = Cell(OpenAIApplication, shape, "sync", None, enclosed=False)
    stage.clear()
    answer, sent = run_unspliced(stage, cell), plain(stage.requests)
    for enclosed, letters in zip((True, False), LOST[name], strict=True):
        outcome = run(replace(stage, lost=name), replace(cell, enclosed=enclosed), answer, sent)
        assert outcome.wrong.keys() - {"form"} == {*letters}, outcome.wrong


def test_many_at_once_stay_apart(stage: WireStage) -> None:
    users = [f"user-{number}" for number in range(100)]
    spans: dict[str, str] = {}

    async def one(client: openai.AsyncOpenAI, user: str) -> None:
        with (
            stage.langfuse.start_as_current_observation(name=user) as span,
            propagate_attributes(user_id=user),
        ):
            spans[user] = span.id
            messages: Any = [{"role": "user", "content": user}]
            await client.chat.completions.create(model="chat", messages=messages)

    async def everything() -> None:
        async with openai.AsyncOpenAI(base_url=stage.wire.url, api_key="sk-any") as client:
            tracesplice.splice(client)
            await asyncio.gather(*(one(client, user) for user in users))

    stage.clear()
    asyncio.run(everything())
    reported = stage.reported()
    assert len(reported) == len(users)
    for each in reported:
        assert each.parent_id == spans[str(each.user_id)]
        assert f"'{each.user_id}'" in str(each.input)


@pytest.mark.usefixtures("_tracer")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_call(cell: Cell, check: Callable[[Cell], Any]) -> None:
    check(cell)


def test_every_form_is_made(outcomes: Outcomes) -> None:
    if outcomes.cells < len(CELLS):
        pytest.skip("not every call was run")
    others = ("/messages", "/rerank")  # of other SDKs
    own = {name for name, form in FORMS.items() if form.route not in others}
    assert outcomes.forms == own - ODD.keys()


@pytest.mark.parametrize("method", [name for framework, name in TABLE if framework == NAME])
def test_without_a_wrapped_method_a_call_is_wrong(
    method: str, without: Callable[[list[Cell], str, str], None]
) -> None:
    without(CELLS, NAME, method)


def test_every_wrapped_method_is_proved(judged: Callable[[Cell], Any]) -> None:
    judged(CELLS[0])
    assert not unproved(NAME)
