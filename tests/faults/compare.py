"""Makes the same call twice, unspliced and spliced: it must end the same, and send the same.

What a call returns or raises, and how many requests it sends with what in them, may differ in one
thing only: the requests of the spliced client carry the link.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import openai

import tracesplice
from faults.scripted import OK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langfuse import Langfuse

    from faults.scripted import Reply, Scripted, Seen

__all__ = ["KINDS", "Client", "Row", "Stage", "chat", "post"]

Client = openai.OpenAI | openai.AsyncOpenAI
KINDS = ("sync", "async", "sync stream", "async stream")
OURS = ("traceparent", "x-tracesplice-project")
VARYING = ("content-length", "idempotency-key", "host")
MESSAGES = [{"role": "user", "content": "hi"}]


def chat(client: Any, stream: bool = False, **options: Any) -> Any:
    """Make a chat call; awaitable with an asynchronous client."""
    return client.chat.completions.create(model="m", messages=MESSAGES, stream=stream, **options)


def post(path: str = "/chat/completions", *, method: str = "post", **options: Any) -> Any:
    """Make calls that send what is given, as it is; anything callable is called for each."""

    def call(client: Any, stream: bool = False) -> Any:
        given = {key: value() if callable(value) else value for key, value in options.items()}
        return getattr(client, method)(path, cast_to=object, **given)

    return call


@dataclass(frozen=True)
class Row:
    """One call, and what there is to it.

    Attributes:
        call: Makes it; gets the client, and ``stream=True`` where a stream is asked for.
        carries: Where the requests of the spliced client carry a link: in the ``body`` (and
            header), in the ``header`` alone, ``nowhere``; several words where they differ.
        replies: What the gateway answers; gets its own address and that of another gateway.
        options: Of the client; gets the kind of the call.
        derived: Makes of the client the one that makes the call.
        kinds: The kinds of call it is about.
    """

    call: Callable[..., Any] = chat
    carries: str = "body"
    replies: Callable[[str, str], Sequence[Reply]] | None = None
    options: Callable[[str], dict[str, Any]] = field(default=lambda _kind: {})
    derived: Callable[[Any], Any] = field(default=lambda client: client)
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True)
class Outcome:
    """How a call ended, and what it sent to whom."""

    ended: object
    requests: tuple[Seen, ...]
    elsewhere: tuple[Seen, ...]


class Stage:
    """Two gateways, and the HTTP clients that all rows share."""

    def __init__(self, gateway: Scripted, other: Scripted, langfuse: Langfuse) -> None:
        self.gateway, self.other, self._langfuse = gateway, other, langfuse
        self.urls = [gateway.url, other.url]
        self._http = openai.DefaultHttpxClient(verify=False)
        self._ahttp = openai.DefaultAsyncHttpxClient(verify=False)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._http.close()
        self._loop.run_until_complete(self._ahttp.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def check(
        self, row: Row, kind: str, splice: Callable[[Any], object] = tracesplice.splice
    ) -> None:
        """Make a row's call, unspliced and spliced, and compare."""
        with self._langfuse.start_as_current_observation(name="s"):
            plain = self._outcome(row, kind, lambda _: None)
            spliced = self._outcome(row, kind, splice)
        assert spliced.ended == plain.ended
        for theirs, ours in (
            (plain.requests, spliced.requests),
            (plain.elsewhere, spliced.elsewhere),
        ):
            assert [_comparable(each) for each in ours] == [_comparable(each) for each in theirs]
        carried = {_carries(each) for each in spliced.requests}
        assert not carried or carried == set(row.carries.split())

    def _outcome(self, row: Row, kind: str, prepare: Callable[[Any], object]) -> Outcome:
        self.gateway.script(row.replies(*self.urls) if row.replies else [OK])
        self.other.script([OK])
        is_async, streamed = kind.startswith("async"), kind.endswith("stream")
        given = {"http_client": self._ahttp if is_async else self._http, **row.options(kind)}
        make = openai.AsyncOpenAI if is_async else openai.OpenAI
        client: Any = make(
            **{"base_url": f"{self.gateway.url}/v1", "api_key": "k", "max_retries": 0, **given}
        )
        prepare(client)
        run = _arun(row, client, streamed) if is_async else None
        ended = self._loop.run_until_complete(run) if run else _run(row, client, streamed)
        return Outcome(ended, tuple(self.gateway.seen), tuple(self.other.seen))


def _run(row: Row, client: Any, streamed: bool) -> object:
    try:
        answer = row.call(row.derived(client), stream=streamed)
        return [_plain(each) for each in answer] if streamed else _plain(answer)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must be the same)
        return _described(error)


async def _arun(row: Row, client: Any, streamed: bool) -> object:
    try:
        answer = row.call(row.derived(client), stream=streamed)
        answer = await answer if isawaitable(answer) else answer
        return [_plain(each) async for each in answer] if streamed else _plain(answer)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must be the same)
        return _described(error)


def _plain(answer: Any) -> object:
    return answer.to_dict() if hasattr(answer, "to_dict") else answer


def _described(error: BaseException | None) -> object:
    if error is None:
        return None
    body = getattr(error, "body", None)
    return type(error), str(error.args), str(body), _described(error.__cause__)


def _comparable(seen: Seen) -> object:
    """What is the caller's in a request."""
    headers = tuple(each for each in seen.headers if each[0] not in (*OURS, *VARYING))
    boundary = seen.body.partition(b"\r\n")[0] if seen.body.startswith(b"--") else None
    if boundary is None:
        return seen.method, seen.path, headers, _without_link(seen.body)
    name = boundary[2:].decode()
    headers = tuple((key, value.replace(name, "B")) for key, value in headers)
    parts = seen.body.replace(boundary + b"--", boundary).split(boundary + b"\r\n")
    parts = [part for part in parts if b'name="litellm_metadata"' not in part]
    return seen.method, seen.path, headers, parts


def _without_link(body: bytes) -> object:
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    if isinstance(parsed, dict):
        parsed.pop("litellm_metadata", None)
        return parsed
    return body


def _carries(seen: Seen) -> str:
    header = seen.header("traceparent") is not None
    if b"litellm_metadata" in seen.body:
        return "body" if header else "body alone"
    return "header" if header else "nowhere"
