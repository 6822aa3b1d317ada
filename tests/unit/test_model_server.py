"""The model server of the rig: its answers, its streams, its faults, its record."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest

from tracesplice_testing.gateway._http import Reply, request
from tracesplice_testing.model import ModelServer
from tracesplice_testing.model._schema import instance

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city"],
        },
    },
}
CALL = {"city": "city", "days": 2}
SPEAKS = ["/api/chat", "/v1/chat/completions"]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def post(server: ModelServer, path: str, **body: object) -> Reply:
    return request(server.url + path, body=body, timeout=5)


def say(server: ModelServer, text: str, path: str = "/api/chat", **body: object) -> Reply:
    fields: dict[str, object] = {"model": "m", "stream": False, **body}
    return post(server, path, messages=[{"role": "user", "content": text}], **fields)


def events(reply: Reply) -> list[Any]:
    lines = [line[6:] for line in reply.body.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_ollama_chat_echoes_with_counts(server: ModelServer) -> None:
    answer = say(server, "hello there").json
    assert answer["message"] == {"role": "assistant", "content": "echo: hello there"}
    assert (answer["prompt_eval_count"], answer["eval_count"]) == (2, 3)
    assert answer == say(server, "hello there").json


def test_ollama_streams_lines(server: ModelServer) -> None:
    reply = say(server, "hello there", stream=True)
    chunks = [json.loads(line) for line in reply.body.splitlines()]
    assert "".join(chunk["message"]["content"] for chunk in chunks) == "echo: hello there"
    assert [chunk["done"] for chunk in chunks] == [False, False, False, True]
    assert chunks[-1]["eval_count"] == 3


def test_ollama_generate(server: ModelServer) -> None:
    whole = post(server, "/api/generate", model="m", prompt="hi", stream=False).json
    assert (whole["response"], whole["prompt_eval_count"]) == ("echo: hi", 1)
    lines = post(server, "/api/generate", model="m", prompt="hi").body.splitlines()
    assert "".join(json.loads(line)["response"] for line in lines) == "echo: hi"


def test_ollama_tells_about_itself(server: ModelServer) -> None:
    assert "tools" in post(server, "/api/show", model="m").json["capabilities"]
    assert request(server.url + "/api/tags").json["models"]
    assert request(server.url + "/api/version").json["version"]


def test_a_tool_is_called_until_it_has_answered(server: ModelServer) -> None:
    message = say(server, "rain?", tools=[WEATHER]).json["message"]
    assert message["tool_calls"] == [{"function": {"name": "weather", "arguments": CALL}}]
    talk = [{"role": "user", "content": "rain?"}, message, {"role": "tool", "content": "no"}]
    after = post(server, "/api/chat", model="m", messages=talk, tools=[WEATHER], stream=False).json
    assert after["message"]["content"] == "tool: no"


def test_openai_tool_call(server: ModelServer) -> None:
    choice = say(server, "rain?", "/v1/chat/completions", tools=[WEATHER]).json["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    function = choice["message"]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("weather", CALL)
    none = say(server, "rain?", "/v1/chat/completions", tools=[WEATHER], tool_choice="none").json
    assert none["choices"][0]["message"]["content"] == "echo: rain?"


def test_structured_output(server: ModelServer) -> None:
    schema = {"type": "object", "properties": {"kind": {"enum": ["b", "a"]}}}
    assert json.loads(say(server, "x", format=schema).json["message"]["content"]) == {"kind": "b"}
    asked = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    reply = say(server, "x", "/v1/chat/completions", response_format=asked).json
    assert json.loads(reply["choices"][0]["message"]["content"]) == {"kind": "b"}
    assert json.loads(say(server, "x", format="json").json["message"]["content"]) == {"echo": "x"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["integer", "null"], "exclusiveMinimum": 4}, 5),
        ({"type": "number", "exclusiveMaximum": 0}, -0.5),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "string", "minLength": 8, "maxLength": 8}, "value..."),
        ({"type": "string", "format": "date"}, "2024-05-01"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"const": 7}}}, 7),
        ({"type": "boolean"}, True),
    ],
)
def test_instances(schema: dict[str, object], value: object) -> None:
    assert instance(schema) == value


def test_a_recursive_schema_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "v": {"type": "integer"}}}
    assert json.dumps(instance(node)).count('"v"') == 6


def test_embeddings_depend_on_the_text_alone(server: ModelServer) -> None:
    one, two = post(server, "/api/embed", model="m", input=["a", "b"]).json["embeddings"]
    assert one != two
    assert post(server, "/api/embeddings", model="m", prompt="a").json["embedding"] == one
    data = post(server, "/v1/embeddings", model="m", input="a", dimensions=40).json["data"]
    assert len(data[0]["embedding"]) == 40
    packed = post(server, "/v1/embeddings", model="m", input="a", encoding_format="base64").json
    assert isinstance(packed["data"][0]["embedding"], str)


def test_openai_chat_stream_ends_with_usage(server: ModelServer) -> None:
    options = {"include_usage": True}
    reply = say(server, "hi", "/v1/chat/completions", stream=True, stream_options=options)
    *chunks, last = events(reply)
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == "echo: hi"
    assert last["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_openai_responses(server: ModelServer) -> None:
    whole = post(server, "/v1/responses", model="m", input="hi").json
    assert whole["output"][0]["content"][0]["text"] == "echo: hi"
    assert whole["usage"]["total_tokens"] == 3
    stream = events(post(server, "/v1/responses", model="m", input="hi", stream=True))
    assert stream[0]["type"] == "response.created"
    assert stream[-1]["response"] == whole
    tool = {"type": "function", **WEATHER["function"]}  # type: ignore[dict-item]
    called = post(server, "/v1/responses", model="m", input="hi", tools=[tool]).json["output"][0]
    assert (called["type"], json.loads(called["arguments"])) == ("function_call", CALL)
    result = [{"type": "function_call_output", "call_id": "c", "output": "no"}]
    after = post(server, "/v1/responses", model="m", input=result, tools=[tool]).json
    assert after["output"][0]["content"][0]["text"] == "tool: no"


def test_openai_completions(server: ModelServer) -> None:
    whole = post(server, "/v1/completions", model="m", prompt="hi").json
    assert whole["choices"][0]["text"] == "echo: hi"
    stream = events(post(server, "/v1/completions", model="m", prompt="hi", stream=True))
    assert "".join(chunk["choices"][0]["text"] for chunk in stream) == "echo: hi"


def test_openai_media(server: ModelServer) -> None:
    image = post(server, "/v1/images/generations", model="m", prompt="hi").json
    assert image["data"][0]["revised_prompt"] == "echo: hi"
    assert post(server, "/v1/audio/speech", model="m", input="hi").body == b"ID3hi"
    assert not post(server, "/v1/moderations", input="hi").json["results"][0]["flagged"]


def test_transcription_reads_the_form(server: ModelServer) -> None:
    lines = [
        "--x",
        'Content-Disposition: form-data; name="model"',
        "",
        "m",
        "--x",
        'Content-Disposition: form-data; name="file"; filename="a.wav"',
        "",
        "RIFF",
        "--x--",
        "",
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = "\r\n".join(lines).encode()
    reply = request(server.url + "/v1/audio/transcriptions", body=body, headers=headers)
    assert reply.json["text"] == "echo: a.wav"
    assert server.requests[-1].form == {"model": "m", "file": "a.wav"}


@pytest.mark.parametrize("path", SPEAKS)
def test_fail(server: ModelServer, path: str) -> None:
    reply = say(server, "[[fail:429]] hi", path)
    assert (reply.status, reply.json["error"]["message"]) == (429, "asked to fail with 429")
    assert say(server, "hi", path, model="m[[fail:500]]", stream=True).status == 500


def test_fail_once_counts_by_key(server: ModelServer) -> None:
    asked = ["[[fail-once:500:a]] x", "[[fail-once:503:b]] x", "[[fail-once:500:a]] y"]
    assert [say(server, text).status for text in asked] == [500, 503, 200]
    assert [say(server, "z", model="m[[fail-once:500]]").status for _ in "12"] == [500, 200]
    server.clear()
    assert say(server, asked[0]).status == 500


@pytest.mark.parametrize("path", SPEAKS)
@pytest.mark.parametrize("stream", [True, False])
def test_drop_closes_in_the_middle(server: ModelServer, path: str, stream: bool) -> None:
    with pytest.raises((HTTPException, OSError)):
        say(server, "[[drop]] one two three", path, stream=stream)
    assert say(server, "hi", path).status == 200


def test_delays_do_not_hold_up_others(server: ModelServer) -> None:
    began = time.monotonic()
    slow = [
        threading.Thread(target=say, args=(server, "[[delay:0.2]] hi")),
        threading.Thread(target=say, args=(server, "[[pace:0.05]] a b c"), kwargs={"stream": True}),
    ]
    for thread in slow:
        thread.start()
    for thread in slow:
        thread.join()
    assert 0.2 <= time.monotonic() - began < 2


def test_words_pads_the_answer(server: ModelServer) -> None:
    assert say(server, "[[words:9]] hi").json["eval_count"] == 9


def test_requests_are_recorded_as_they_came(server: ModelServer) -> None:
    say(server, "hi", secret_field="seen")
    received = server.requests[0]
    assert (received.method, received.path) == ("POST", "/api/chat")
    assert received.json["secret_field"] == "seen"
    assert "seen" in received.text
    assert "content-type: application/json" in received.text
    assert request(server.url + "/v1/models").json["data"]
    assert (len(server.requests), len(server.calls)) == (2, 1)
    server.clear()
    assert server.requests == []


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    with ModelServer() as server:
        say(server, "hi")
        port = int(server.url.rsplit(":", 1)[1])
    assert threading.active_count() == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
