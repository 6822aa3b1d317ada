"""A request of httpx is linked as a new one, whatever its body, and its answer is noted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tracesplice._calls import calls
from tracesplice.adapter import Gateway, link_http_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langfuse import Langfuse

GATEWAY = Gateway.declare("http://gateway")
OURS = ("traceparent", "x-tracesplice-")
URL = "http://gateway/v1/chat/completions"


class _Streamed:
    def __iter__(self) -> Iterator[bytes]:
        yield b"{}"


STREAMED = _Streamed()


def http_modules() -> list[Any]:
    found = [httpx]
    try:
        import httpx2
    except ImportError:
        return found
    return [*found, httpx2]


@pytest.fixture(params=http_modules(), ids=lambda module: module.__name__)
def http(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    calls.clear()


def test_a_json_object_gets_the_fields(http: Any, langfuse: Langfuse) -> None:
    request = http.Request("POST", URL, json={"model": "m", "text": "Grüße"}, headers={"x": "y"})
    before = bytes(request.content), dict(request.headers)
    with langfuse.start_as_current_observation(name="s") as span:
        linked = link_http_request(request, [GATEWAY])
    assert linked is not None
    sent = linked.request
    body = json.loads(sent.content)
    assert body.pop("litellm_metadata")["parent_observation_id"] == span.id
    assert body == {"model": "m", "text": "Grüße"}
    assert sent.headers["traceparent"].startswith(f"00-{span.trace_id}-{span.id}")
    assert sent.headers["content-length"] == str(len(sent.content))
    assert (type(sent), str(sent.url), sent.headers["x"]) == (http.Request, URL, "y")
    assert (bytes(request.content), dict(request.headers)) == before


@pytest.mark.parametrize(
    "body",
    [
        {"content": b"[1, 2]", "headers": {"content-type": "application/json"}},
        {"content": b"{", "headers": {"content-type": "application/json"}},
        {"content": b"{}", "headers": {"content-type": "application/octet-stream"}},
        {"data": {"model": "m"}},
        {"files": {"file": b"audio"}},
        {"content": STREAMED, "headers": {"content-type": "application/json"}},
        {"json": {}, "headers": {"content-encoding": "zstd"}},
    ],
)
def test_any_other_body_is_left_as_it_is(http: Any, langfuse: Langfuse, body: Any) -> None:
    request = http.Request("POST", URL, **body)
    with langfuse.start_as_current_observation(name="s") as span:
        linked = link_http_request(request, [GATEWAY])
    assert linked is not None
    assert span.id in linked.request.headers["traceparent"]
    assert b"".join(linked.request.stream) == b"".join(request.stream)
    theirs = {k: v for k, v in linked.request.headers.items() if not k.startswith(OURS)}
    assert theirs == dict(request.headers)


@pytest.mark.parametrize(
    ("method", "url"),
    [("GET", URL), ("POST", "http://gateway/v1/files"), ("POST", "http://other/v1/embeddings")],
)
def test_what_is_not_linked(http: Any, langfuse: Langfuse, method: str, url: str) -> None:
    with langfuse.start_as_current_observation(name="s"):
        assert link_http_request(http.Request(method, url, json={}), [GATEWAY]) is None


def test_a_fragment_is_no_part_of_the_route(http: Any, langfuse: Langfuse) -> None:
    with langfuse.start_as_current_observation(name="s"):
        assert link_http_request(http.Request("POST", f"{URL}#stream", json={}), [GATEWAY])


@pytest.mark.parametrize(
    ("status", "url", "says", "expected"),
    [
        (200, URL, "true", (True, False)),
        (200, URL, "false", (False, True)),
        (200, "http://other/v1/chat/completions", "true", (False, True)),
        (400, URL, "true", (False, False)),
    ],
)
def test_the_answer_is_noted(
    http: Any, langfuse: Langfuse, status: int, url: str, says: str, expected: tuple[bool, bool]
) -> None:
    with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
        linked = link_http_request(http.Request("POST", URL, json={}), [GATEWAY])
        assert linked is not None
        headers = {"x-tracesplice-reports": says}
        answer = http.Response(status, headers=headers, request=http.Request("POST", url))
        linked.answered(answer)
    known = calls.find((span.trace_id, span.id))
    assert known is not None
    assert (known.reported, known.kept) == expected
