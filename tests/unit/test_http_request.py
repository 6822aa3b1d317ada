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


WRITTEN = [
    '{"text": "\\ud83d", "n": 1e400, "m": 0.10000000000000000001, "k": 12345678901234567890123}',
    "{}",
    " { } ",
    '\n{"a" : [1, {"b": "}"}],\t"c":-1.50E+2 , "a": NaN}\n',
    '{"text": "Gr\u00fc\u00dfe \U0001f600", "emoji": "\ud83d"}',
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
@pytest.mark.parametrize("text", WRITTEN)
def test_all_else_in_a_json_object_stays_as_it_was_written(
    http: Any, langfuse: Langfuse, text: str, encoding: str
) -> None:
    content = text.encode(encoding, "surrogatepass")
    headers = {"content-type": "application/json"}
    with langfuse.start_as_current_observation(name="s") as span:
        linked = link_http_request(
            http.Request("POST", URL, content=content, headers=headers), [GATEWAY]
        )
    assert linked is not None
    sent = linked.request.content
    assert json.loads(sent)["litellm_metadata"]["existing_trace_id"] == span.trace_id
    before, _, after = text.rpartition("}")
    found = sent.decode(encoding, "surrogatepass")
    assert found.startswith(before)
    assert found.endswith(f"}}{after}")
    assert linked.request.headers["content-length"] == str(len(sent))


@pytest.mark.parametrize(
    "text",
    [
        '{"litellm_metadata": {"a": 1}, "n": 1e400, "text": "\\ud83d"}',
        '{"n": 1e400, "litellm_metadata":null,"litellm_metadata" : {"a": 1} , "text": "\\ud83d"}',
        '{"n": 1e400, "text": "\\ud83d", "litellm_metadat\\u0061": "{\\"a\\": 1}"\n}',
    ],
)
def test_what_its_caller_wrote_in_the_field_is_in_it(
    http: Any, langfuse: Langfuse, text: str
) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    request = http.Request("POST", URL, content=text.encode(), headers=headers)
    with langfuse.start_as_current_observation(name="s") as span:
        linked = link_http_request(request, [GATEWAY])
    assert linked is not None
    sent = linked.request.content
    fields = json.loads(sent)["litellm_metadata"]
    assert (fields["a"], fields["existing_trace_id"]) == (1, span.trace_id)
    assert b'"n": 1e400' in sent
    assert b'"text": "\\ud83d"' in sent


def test_a_body_too_deep_to_read_is_left_as_it_is(http: Any, langfuse: Langfuse) -> None:
    content = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    headers = {"content-type": "application/json"}
    with langfuse.start_as_current_observation(name="s"):
        linked = link_http_request(
            http.Request("POST", URL, content=content, headers=headers), [GATEWAY]
        )
    assert linked is not None
    assert linked.request.content == content


@pytest.mark.usefixtures("lenient")
def test_a_request_that_cannot_be_made_anew_is_the_clients_to_count(
    http: Any, langfuse: Langfuse
) -> None:
    class Request(http.Request):  # type: ignore[misc]
        def __init__(self, own: str) -> None:
            super().__init__("POST", URL, json={})

    with langfuse.start_as_current_observation(name="g", as_type="generation") as span:
        assert link_http_request(Request("own"), [GATEWAY]) is None
    known = calls.find((span.trace_id, span.id))
    assert known is not None
    assert known.kept


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
