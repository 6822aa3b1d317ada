"""Whatever a gateway answers, the call ends as it does without tracesplice.

Redirects above all: the HTTP client follows them as its user configured it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai
import pytest

import tracesplice
from faults.compare import KINDS, Row
from faults.scripted import CHUNKS, OK, Reply, moved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from faults.compare import Stage

HTTP: Any = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]
AT_ONCE = ("retry-after-ms", "1")
REPORTS = ("x-tracesplice-reports", "true")
PATH = "/v1/chat/completions"
LOCATIONS: dict[str, Callable[[str, str], str | None]] = {
    "here": lambda here, _: f"{here}{PATH}?again",
    "relative": lambda *_: "?again",
    "other": lambda _, other: other + PATH,
    "other, with a password": lambda _, other: other.replace("//", "//user:secret@") + PATH,
    "nowhere": lambda *_: "http://127.0.0.1:9/",
    "missing": lambda *_: None,
    "empty": lambda *_: "",
    "no address": lambda *_: "http://[",
    "no scheme that is known": lambda *_: "ftp://gw/",
    "no host": lambda *_: "http:///x",
    "a fragment": lambda *_: "#x",
    "no text": lambda *_: "/\xe9\x7f",
}
EVERY = [(status, "here") for status in range(300, 309)]
ANYWHERE = [(307, where) for where in LOCATIONS] + [(302, "other"), (303, "missing")]


def answered(*replies: Reply, **options: Any) -> Row:
    return Row(replies=lambda *_: replies, options=lambda _: options)


def redirected(status: int, where: str, **rest: Any) -> Row:
    def replies(here: str, other: str) -> Sequence[Reply]:
        return moved(status, LOCATIONS[where](here, other)), OK

    again = where == "here" and status in (301, 302, 303)  # as a GET, with the headers alone
    return Row(replies=replies, carries="body header" if again else "body", **rest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "where"), [*EVERY, *ANYWHERE])
def test_a_redirect(stage: Stage, status: int, where: str, kind: str) -> None:
    stage.check(redirected(status, where), kind)


@pytest.mark.usefixtures("_uninstrument")
@pytest.mark.parametrize("kind", ["sync", "async stream"])
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_to_another_declared_gateway(stage: Stage, status: int, kind: str) -> None:
    stage.check(redirected(status, "other"), kind, lambda _: tracesplice.instrument(stage.urls))
    assert all(seen.header("authorization") is None for seen in stage.other.seen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_that_never_ends(stage: Stage, kind: str) -> None:
    stage.check(answered(moved(307, "?again")), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_does_not_follow(stage: Stage, kind: str) -> None:
    stage.check(
        redirected(307, "here", options=lambda kind: http(kind, follow_redirects=False)), kind
    )


def http(kind: str, **options: Any) -> dict[str, Any]:
    """An HTTP client of the user's own; the tests leave it to the collector."""
    a = "Async" if kind.startswith("async") else ""
    return {"http_client": getattr(HTTP, f"{a}Client")(verify=False, **options)}


def narrow(kind: str) -> dict[str, Any]:
    class Client(HTTP.Client):  # type: ignore[misc]
        def send(self, request: Any, *, stream: bool = False) -> Any:
            return super().send(request, stream=stream, follow_redirects=True)

    class AsyncClient(HTTP.AsyncClient):  # type: ignore[misc]
        async def send(self, request: Any, *, stream: bool = False) -> Any:
            return await super().send(request, stream=stream, follow_redirects=True)

    return {"http_client": (AsyncClient if kind.startswith("async") else Client)(verify=False)}


class Auth(HTTP.Auth):  # type: ignore[misc]
    """Asks first without, then with a token."""

    def auth_flow(self, request: Any) -> Any:
        response = yield request
        if response.status_code == 401:
            request.headers["x-token"] = "t"
            yield request


def hooked(kind: str, *, raises: bool = False) -> dict[str, Any]:
    """An HTTP client whose hook makes a request with that same client."""
    busy: list[object] = []

    def nested(request: Any) -> list[str]:
        if raises:
            raise RuntimeError("the hook's own")
        urls = [] if busy else [str(request.url)]
        busy.append(request)
        return urls

    def hook(request: Any) -> None:
        for url in nested(request):
            made["http_client"].post(url, json={"model": "nested"})

    async def ahook(request: Any) -> None:
        for url in nested(request):
            await made["http_client"].post(url, json={"model": "nested"})

    use: Callable[..., Any] = ahook if kind.startswith("async") else hook
    made = http(kind, event_hooks={"request": [use], "response": []})
    return made


ANSWERS = {
    **{
        f"{code}": answered(Reply(code, body=b'{"error": {"message": "m"}}'))
        for code in (400, 401, 404, 409, 422, 429, 500, 503)
    },
    "an error that is no JSON": answered(Reply(500, body=b"<html>")),
    "an error without a body": answered(Reply(400, body=b"")),
    "a retry": answered(Reply(500, (AT_ONCE,), b"{}"), OK, max_retries=1),
    "two retries, one redirected": answered(
        Reply(429, (AT_ONCE,), b"{}"),
        moved(307, "?again"),
        Reply(503, (AT_ONCE,), b"{}"),
        OK,
        max_retries=2,
    ),
    "retries that fail": answered(Reply(500, (AT_ONCE,), b"{}"), max_retries=2),
    "no JSON": answered(Reply(body=b"{")),
    "other JSON": answered(Reply(body=b"[1]")),
    "nothing": answered(Reply(body=b"")),
    "no content": answered(Reply(204, body=b"")),
    "cut before the headers": answered(Reply(cut=0)),
    "cut in the headers": answered(Reply(cut=20)),
    "cut in the body": answered(Reply(cut=-3)),
    "cut at first": replace(answered(Reply(cut=0), OK, max_retries=1), kinds=("sync",)),
    "a stream with an error": answered(
        Reply(body=CHUNKS.encode() + b'data: {"error": {"message": "m"}}\n\n')
    ),
    "no answer in time": answered(Reply(held=True), timeout=0.05),
    "reported": answered(Reply(headers=(REPORTS,))),
    "reported and not": answered(Reply(headers=(REPORTS, ("X-Tracesplice-Reports", "false")))),
    "send without follow_redirects": Row(options=narrow),
    "... and redirected": redirected(307, "here", options=narrow),
    "an auth flow": Row(
        replies=lambda *_: (Reply(401, body=b"{}"), OK),
        options=lambda kind: http(kind, auth=Auth()),
    ),
    "a hook that asks": Row(carries="nowhere body", options=hooked),
    "a hook that raises": Row(options=lambda kind: hooked(kind, raises=True)),
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, row in ANSWERS.items() for kind in row.kinds]
)
def test_an_answer(stage: Stage, name: str, kind: str) -> None:
    stage.check(ANSWERS[name], kind)
