"""Whose usage counts is decided by the gateway's answer: a client says zero for nothing else."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracesplice
from faults.wire import carries_nothing, client_of, say
from tracesplice_wire import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langfuse import Langfuse

    from rig.model import ModelServer

USAGE = {"input": 3, "output": 4, "total": 7}
ZERO = dict.fromkeys(USAGE, 0)
TRUE, FALSE, ABSENT = {REPORTS: "true"}, {REPORTS: "false"}, dict[str, str]()


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def key() -> str:
    return f"pk-{secrets.token_hex(8)}"


@pytest.fixture
def counting(
    make_langfuse: Callable[..., Langfuse], exported: InMemorySpanExporter, key: str
) -> Langfuse:
    return make_langfuse(
        key,
        span_exporter=exported,
        mask_otel_spans=tracesplice.count_usage_once(),
        flush_at=1,
    )


@pytest.fixture
def client(wire: ModelServer) -> Iterator[openai.OpenAI]:
    with client_of(wire, max_retries=1) as made:
        yield tracesplice.splice(made)


@pytest.fixture
def usage_of(
    counting: Langfuse, exported: InMemorySpanExporter
) -> Callable[[Callable[[], Any]], dict[str, int]]:
    """Makes a call in a generation and returns the usage that is exported of it."""

    def run(call: Callable[[], Any]) -> dict[str, int]:
        with counting.start_as_current_observation(
            name="g", as_type="generation", model="m", usage_details=USAGE
        ):
            call()
        counting.flush()
        [span] = exported.get_finished_spans()
        found: dict[str, int] = json.loads(
            str((span.attributes or {})["langfuse.observation.usage_details"])
        )
        return found

    return run


def whole(client: Any) -> None:
    say(client)


def streamed(client: Any) -> None:
    list(say(client, stream=True))


def left(client: Any) -> None:
    with say(client, stream=True) as stream:
        next(iter(stream))


def raw(client: Any) -> None:
    say(client.with_raw_response).parse()


def raw_unparsed(client: Any) -> None:
    say(client.with_raw_response)


def raw_streamed(client: Any) -> None:
    list(say(client.with_raw_response, stream=True).parse())


def streaming_response(client: Any) -> None:
    with say(client.with_streaming_response) as response:
        response.read()


def of_a_copy(client: Any) -> None:
    say(client.with_options(timeout=30))


def responses(client: Any) -> None:
    client.responses.create(model="gpt-4o-mini", input="hi")


def embedding(client: Any) -> None:
    client.embeddings.create(model="text-embedding-3-small", input="hi")


def retried(client: Any) -> None:
    say(client, "hi [[fail-once:503]]")


CALLS = [
    whole,
    streamed,
    left,
    raw,
    raw_unparsed,
    raw_streamed,
    streaming_response,
    of_a_copy,
    responses,
    embedding,
    retried,
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("headers", "expected"), [(TRUE, ZERO), (ABSENT, ZERO), (FALSE, USAGE)])
def test_every_way_to_call(
    wire: ModelServer,
    client: openai.OpenAI,
    usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    call: Callable[[Any], None],
    headers: dict[str, str],
    expected: dict[str, int],
) -> None:
    wire.answer_headers.update(headers)
    assert usage_of(lambda: call(client)) == expected


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("headers", "expected"), [(TRUE, ZERO), (ABSENT, ZERO), (FALSE, USAGE)])
def test_asynchronous_calls(
    wire: ModelServer,
    usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    stream: bool,
    headers: dict[str, str],
    expected: dict[str, int],
) -> None:
    wire.answer_headers.update(headers)

    async def call() -> None:
        async with openai.AsyncOpenAI(base_url=f"{wire.url}/v1", api_key="sk-any") as client:
            answer = await say(tracesplice.splice(client), stream=stream)
            if stream:
                assert [chunk async for chunk in answer]

    assert usage_of(lambda: asyncio.run(call())) == expected


@pytest.mark.usefixtures("_uninstrument")
def test_an_instrumented_process(
    wire: ModelServer, usage_of: Callable[[Callable[[], Any]], dict[str, int]]
) -> None:
    tracesplice.instrument(wire.url)
    with client_of(wire) as client:
        assert usage_of(lambda: say(client)) == ZERO


@pytest.mark.usefixtures("_uninstrument")
def test_spliced_and_instrumented_at_once(
    wire: ModelServer,
    client: openai.OpenAI,
    usage_of: Callable[[Callable[[], Any]], dict[str, int]],
) -> None:
    tracesplice.instrument(wire.url)
    assert usage_of(lambda: say(client)) == ZERO


class TestNotZero:
    """The client's usage stays where nobody else is known to count the call."""

    @pytest.fixture(autouse=True)
    def _reports(self, wire: ModelServer) -> None:
        wire.answer_headers.update(TRUE)

    @pytest.mark.parametrize("text", ["hi [[fail:400]]", "hi [[fail:500]]", "hi [[drop]]"])
    def test_a_call_that_failed_where_something_was_used_nevertheless(
        self,
        client: openai.OpenAI,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
        text: str,
    ) -> None:
        def call() -> None:
            with pytest.raises(openai.APIError):
                say(client.with_options(max_retries=0), text)

        assert usage_of(call) == USAGE

    def test_a_gateway_that_is_not_there(
        self, usage_of: Callable[[Callable[[], Any]], dict[str, int]]
    ) -> None:
        def call() -> None:
            with (
                openai.OpenAI(base_url="http://127.0.0.1:9", api_key="k", max_retries=0) as client,
                pytest.raises(openai.APIConnectionError),
            ):
                say(tracesplice.splice(client))

        assert usage_of(call) == USAGE

    def test_a_list_of_stored_calls(
        self,
        wire: ModelServer,
        client: openai.OpenAI,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    ) -> None:
        def call() -> None:
            with pytest.raises(openai.APIStatusError):  # the model server stores none
                client.chat.completions.list()

        assert usage_of(call) == USAGE
        assert [request.method for request in wire.requests] == ["GET"]
        assert carries_nothing(wire)

    @pytest.mark.parametrize("says", ["true, false", "false, true", "yes", "true;q=1"])
    def test_an_answer_that_contradicts_itself(
        self,
        wire: ModelServer,
        client: openai.OpenAI,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
        says: str,
    ) -> None:
        wire.answer_headers[REPORTS] = says
        assert usage_of(lambda: say(client)) == USAGE

    def test_a_client_that_is_not_spliced(
        self, wire: ModelServer, usage_of: Callable[[Callable[[], Any]], dict[str, int]]
    ) -> None:
        with client_of(wire) as plain:
            assert usage_of(lambda: say(plain)) == USAGE

    def test_another_host(
        self,
        client: openai.OpenAI,
        elsewhere: ModelServer,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    ) -> None:
        elsewhere.answer_headers.update(TRUE)
        other = client.with_options(base_url=f"{elsewhere.url}/v1")
        assert usage_of(lambda: say(other)) == USAGE

    @pytest.mark.parametrize("first", ["linked", "foreign"])
    def test_a_call_among_others_that_is_another_s(
        self,
        client: openai.OpenAI,
        elsewhere: ModelServer,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
        first: str,
    ) -> None:
        with client_of(elsewhere) as plain:
            calls = [client, plain] if first == "linked" else [plain, client]
            assert usage_of(lambda: [say(each) for each in calls]) == USAGE

    def test_a_route_of_another_host_that_calls_no_model_does_not_matter(
        self,
        client: openai.OpenAI,
        elsewhere: ModelServer,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    ) -> None:
        def calls() -> None:
            say(client)
            with client_of(elsewhere) as plain, suppress(openai.NotFoundError):
                plain.post("/vector_stores", cast_to=object, body={})

        assert usage_of(calls) == ZERO

    def test_a_route_that_calls_no_model(
        self, client: openai.OpenAI, usage_of: Callable[[Callable[[], Any]], dict[str, int]]
    ) -> None:
        assert usage_of(client.models.list) == USAGE

    def test_a_call_among_others_that_is_not_reported(
        self,
        wire: ModelServer,
        client: openai.OpenAI,
        usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    ) -> None:
        def calls() -> None:
            say(client)
            wire.answer_headers.update(FALSE)
            say(client)
            wire.answer_headers.update(TRUE)
            say(client)

        assert usage_of(calls) == USAGE


class TestFailed:
    """A call that failed used nothing; left unsaid, Langfuse would count and price its tokens."""

    @pytest.fixture
    def call(
        self, counting: Langfuse, exported: InMemorySpanExporter
    ) -> Callable[[Callable[[], Any]], list[Any]]:
        """Makes a call that fails in a generation; returns the usage each generation says."""

        def run(call: Callable[[], Any]) -> list[Any]:
            with (
                pytest.raises(openai.APIError),
                counting.start_as_current_observation(name="g", as_type="generation", model="m"),
            ):
                call()
            counting.flush()
            said = [dict(span.attributes or {}) for span in exported.get_finished_spans()]
            return [each.get("langfuse.observation.usage_details") for each in said]

        return run

    @pytest.mark.parametrize("text", ["hi [[fail:400]]", "hi [[fail:500]]", "hi [[drop]]"])
    def test_it_says_zero(
        self, client: openai.OpenAI, call: Callable[[Callable[[], Any]], list[Any]], text: str
    ) -> None:
        assert call(lambda: say(client, text)) == [json.dumps(ZERO)]

    def test_where_the_gateway_was_never_reached_too(
        self, call: Callable[[Callable[[], Any]], list[Any]]
    ) -> None:
        with openai.OpenAI(base_url="http://127.0.0.1:9", api_key="k", max_retries=0) as client:
            assert call(lambda: say(tracesplice.splice(client))) == [json.dumps(ZERO)]

    def test_so_do_a_framework_s_generation_and_the_one_around_it(
        self, wire: ModelServer, key: str, call: Callable[[Callable[[], Any]], list[Any]]
    ) -> None:
        from langchain_openai import ChatOpenAI
        from langfuse.langchain import CallbackHandler

        model = tracesplice.splice(
            ChatOpenAI(base_url=f"{wire.url}/v1", api_key="k", model="m", max_retries=0)  # type: ignore[arg-type]
        )
        handler = CallbackHandler(public_key=key)
        options: Any = {"callbacks": [handler]}
        assert call(lambda: model.invoke("hi [[fail:400]]", options)) == [json.dumps(ZERO)] * 2

    def test_a_provider_s_is_left_alone(
        self, elsewhere: ModelServer, call: Callable[[Callable[[], Any]], list[Any]]
    ) -> None:
        with client_of(elsewhere, max_retries=0) as plain:
            assert call(lambda: say(plain, "hi [[fail:400]]")) == [None]


@pytest.mark.parametrize(("headers", "expected"), [(ABSENT, USAGE), (TRUE, ZERO), (FALSE, USAGE)])
def test_a_call_that_the_gateway_is_told_not_to_log(
    wire: ModelServer,
    client: openai.OpenAI,
    usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    headers: dict[str, str],
    expected: dict[str, int],
) -> None:
    # A gateway can be set up to log it nevertheless; with our adapter it says so.
    wire.answer_headers.update(headers)
    assert usage_of(lambda: say(client, extra_body={"no-log": True})) == expected


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_costs_neither_the_answer_nor_the_usage(
    client: openai.OpenAI,
    usage_of: Callable[[Callable[[], Any]], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr("tracesplice.adapter.LinkedRequest.answered", fail)
    answers: list[Any] = []
    assert usage_of(lambda: answers.append(say(client))) == USAGE
    assert answers[0].choices
    assert "left out the zero usage of a call" in caplog.text
