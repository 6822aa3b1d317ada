"""Whose usage counts is decided by the gateway's answer: a client says zero for nothing else."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import openai
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.wire import carries_nothing, client_of, say
from tracesplice._calls import Calls, calls
from tracesplice_wire import REPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

    from tracesplice_testing.model import ModelServer

USAGE = {"input": 3, "output": 4, "total": 7}
ZERO = dict.fromkeys(USAGE, 0)
TRUE, FALSE, ABSENT = {REPORTS: "true"}, {REPORTS: "false"}, dict[str, str]()
UsageOf: TypeAlias = Callable[..., Any]


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def key() -> str:
    return f"pk-{secrets.token_hex(8)}"


@pytest.fixture
def usage_of(
    make_langfuse: Callable[..., Langfuse], exported: InMemorySpanExporter, key: str
) -> UsageOf:
    """Makes a call in a generation that says what it used; returns what is exported of all."""
    counting = make_langfuse(
        key,
        span_exporter=exported,
        mask_otel_spans=tracesplice.count_usage_once(),
        flush_at=1,
    )

    def run(call: Callable[..., Any], *args: Any, said: dict[str, int] | None = USAGE) -> Any:
        with counting.start_as_current_observation(
            name="g", as_type="generation", model="m", usage_details=said
        ):
            call(*args)
        counting.flush()
        found = [dict(span.attributes or {}) for span in exported.get_finished_spans()]
        usages = [each.get("langfuse.observation.usage_details") for each in found]
        [usage] = {str(each) for each in usages}  # where there are several, they say the same
        return json.loads(usage) if usages[0] else None

    return run


@pytest.fixture
def client(wire: ModelServer) -> Iterator[openai.OpenAI]:
    with client_of(wire, max_retries=1) as made:
        yield tracesplice.splice(made)


def left(client: Any) -> None:
    with say(client, stream=True) as stream:
        next(iter(stream))


def streaming_response(client: Any) -> None:
    with say(client.with_streaming_response) as response:
        response.read()


async def asynchronous(client: Any, stream: bool = False) -> None:
    async with openai.AsyncOpenAI(base_url=client.base_url, api_key="sk-any") as made:
        answer = await say(tracesplice.splice(made), stream=stream)
        if stream:
            assert [chunk async for chunk in answer]


CALLS: dict[str, Callable[[Any], Any]] = {
    "whole": say,
    "streamed": lambda client: list(say(client, stream=True)),
    "left": left,
    "raw": lambda client: say(client.with_raw_response).parse(),
    "raw, not parsed": lambda client: say(client.with_raw_response),
    "raw, streamed": lambda client: list(say(client.with_raw_response, stream=True).parse()),
    "streaming response": streaming_response,
    "of a copy": lambda client: say(client.with_options(timeout=30)),
    "responses": lambda client: client.responses.create(model="m", input="hi"),
    "embedding": lambda client: client.embeddings.create(model="m", input="hi"),
    "retried": lambda client: say(client, "hi [[fail-once:503]]"),
    # A gateway can be set up to log it nevertheless; with our adapter it says so.
    "not to be logged": lambda client: say(client, extra_body={"no-log": True}),
    "asynchronous": lambda client: asyncio.run(asynchronous(client)),
    "asynchronous, streamed": lambda client: asyncio.run(asynchronous(client, stream=True)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(("headers", "expected"), [(TRUE, ZERO), (FALSE, USAGE)])
def test_every_way_to_call(
    wire: ModelServer,
    client: openai.OpenAI,
    usage_of: UsageOf,
    call: Callable[[Any], None],
    headers: dict[str, str],
    expected: dict[str, int],
) -> None:
    wire.answer_headers.update(headers)
    assert usage_of(call, client) == expected


@pytest.mark.usefixtures("_uninstrument")
@pytest.mark.parametrize("spliced", [False, True])
def test_an_instrumented_process(
    wire: ModelServer, client: openai.OpenAI, usage_of: UsageOf, spliced: bool
) -> None:
    tracesplice.instrument(wire.url)
    with client_of(wire) as plain:
        assert usage_of(say, client if spliced else plain) == ZERO


class TestNotZero:
    """The client's usage stays where nobody else is known to count the call."""

    @pytest.fixture(autouse=True)
    def _reports(self, wire: ModelServer, elsewhere: ModelServer) -> None:
        for server in (wire, elsewhere):
            server.answer_headers.update(TRUE)

    def test_a_route_that_calls_no_model(
        self, wire: ModelServer, client: openai.OpenAI, usage_of: UsageOf
    ) -> None:
        def call() -> None:
            client.models.list()
            with pytest.raises(openai.APIStatusError):  # the model server stores none
                client.chat.completions.list()

        assert usage_of(call) == USAGE
        assert [request.method for request in wire.requests] == ["GET", "GET"]
        assert carries_nothing(wire)

    def test_a_client_that_is_not_spliced(self, wire: ModelServer, usage_of: UsageOf) -> None:
        with client_of(wire) as plain:
            assert usage_of(say, plain) == USAGE

    def test_another_host(
        self, client: openai.OpenAI, elsewhere: ModelServer, usage_of: UsageOf
    ) -> None:
        other = client.with_options(base_url=f"{elsewhere.url}/v1")
        assert usage_of(say, other) == USAGE

    @pytest.mark.parametrize("first", ["linked", "foreign"])
    def test_a_call_among_others_that_is_another_s(
        self, client: openai.OpenAI, elsewhere: ModelServer, usage_of: UsageOf, first: str
    ) -> None:
        with client_of(elsewhere) as plain:
            calls = [client, plain] if first == "linked" else [plain, client]
            assert usage_of(lambda: [say(each) for each in calls]) == USAGE

    def test_a_route_of_another_host_that_calls_no_model_does_not_matter(
        self, client: openai.OpenAI, elsewhere: ModelServer, usage_of: UsageOf
    ) -> None:
        def calls() -> None:
            say(client)
            with client_of(elsewhere) as plain, suppress(openai.NotFoundError):
                plain.post("/vector_stores", cast_to=object, body={})

        assert usage_of(calls) == ZERO

    def test_a_call_among_others_that_is_not_reported(
        self, wire: ModelServer, client: openai.OpenAI, usage_of: UsageOf
    ) -> None:
        def calls() -> None:
            for headers in (TRUE, FALSE, TRUE):
                wire.answer_headers.update(headers)
                say(client)

        assert usage_of(calls) == USAGE


@pytest.mark.parametrize("said", [USAGE, None])
class TestFailed:
    """A call that failed used nothing; left unsaid, Langfuse would count and price its tokens.

    Where something was used nevertheless, that stays.
    """

    @pytest.mark.parametrize("text", ["hi [[fail:400]]", "hi [[fail:500]]", "hi [[drop]]"])
    def test_at_the_gateway_or_behind_it(
        self, client: openai.OpenAI, usage_of: UsageOf, text: str, said: Any
    ) -> None:
        def call() -> None:
            with pytest.raises(openai.APIError):
                say(client.with_options(max_retries=0), text)

        assert usage_of(call, said=said) == (said or ZERO)

    def test_a_gateway_that_is_not_there(self, usage_of: UsageOf, said: Any) -> None:
        def call() -> None:
            with (
                openai.OpenAI(base_url="http://127.0.0.1:9", api_key="k", max_retries=0) as client,
                pytest.raises(openai.APIConnectionError),
            ):
                say(tracesplice.splice(client))

        assert usage_of(call, said=said) == (said or ZERO)

    def test_a_provider_s_is_left_alone(
        self, elsewhere: ModelServer, usage_of: UsageOf, said: Any
    ) -> None:
        def call() -> None:
            with client_of(elsewhere, max_retries=0) as plain, pytest.raises(openai.APIError):
                say(plain, "hi [[fail:400]]")

        assert usage_of(call, said=said) == said


def test_a_framework_s_failed_generation_and_the_one_around_it(
    wire: ModelServer, key: str, usage_of: UsageOf
) -> None:
    from langchain_openai import ChatOpenAI
    from langfuse.langchain import CallbackHandler

    model = tracesplice.splice(
        ChatOpenAI(base_url=f"{wire.url}/v1", api_key="k", model="m", max_retries=0)  # type: ignore[arg-type]
    )

    def call() -> None:
        with pytest.raises(openai.APIError):
            model.invoke("hi [[fail:400]]", {"callbacks": [CallbackHandler(public_key=key)]})

    assert usage_of(call, said=None) == ZERO


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_costs_neither_the_answer_nor_the_usage(
    client: openai.OpenAI,
    usage_of: UsageOf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(Calls, "answered", fail)
    answers: list[Any] = []
    assert usage_of(lambda: answers.append(say(client))) == USAGE
    assert answers[0].choices
    assert "left out the zero usage of a call" in caplog.text


@pytest.mark.parametrize("headers", [ABSENT, TRUE])
def test_without_a_mask_it_is_said_once_what_to_type(
    wire: ModelServer,
    langfuse: Langfuse,
    client: openai.OpenAI,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
) -> None:
    monkeypatch.setattr(calls, "is_used", False)
    wire.answer_headers.update(headers)
    with langfuse.start_as_current_observation(name="g", as_type="generation"):
        for _ in range(2):
            say(client)
    [message] = [each.getMessage() for each in caplog.records if each.name == "tracesplice"]
    assert "Langfuse(mask_otel_spans=tracesplice.count_usage_once())" in message
    assert 'count_usage_once(owner="client")' in message
