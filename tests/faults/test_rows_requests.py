"""Whatever a request is made of, it goes out as it does without tracesplice, and its link with it.

What is no JSON object is left alone: the link is in the header only.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import openai
import pydantic
import pytest

from faults.compare import Row, chat, post

if TYPE_CHECKING:
    from faults.compare import Stage


class Model(pydantic.BaseModel):
    model: str = "m"


def chunks() -> Any:
    yield b'{"model": '
    yield b'"m"}'


async def achunks() -> Any:
    for chunk in chunks():
        yield chunk


ALL = ("sync", "async")
JSON, FORM = {"model": "m", "messages": []}, "application/x-www-form-urlencoded"
MULTIPART = {"Content-Type": "multipart/form-data"}
FILE = {"file": ("a.txt", b"text")}


def sent(carries: str, path: str = "/chat/completions", **options: Any) -> Row:
    return Row(post(path, **options), carries, kinds=ALL)


def given(**options: Any) -> dict[str, Any]:
    return options


ROWS = {
    "a chat": Row(),
    "dict": sent("body", body=JSON),
    "content: bytes": sent("header", content=b'{"model": "m"}'),
    "content: text": sent("header", content='{"model": "m"}'),
    "content: iterator": Row(post(content=chunks), "header", kinds=("sync",)),
    "content: async iterator": Row(post(content=achunks), "header", kinds=("async",)),
    "content: form": sent(
        "header", content=b"model=m", options=given(headers={"Content-Type": FORM})
    ),
    "bytes": sent("header", body=b'{"model": "m"}'),
    "text": sent("header", body="text"),
    "list": sent("header", body=[JSON]),
    "number": sent("header", body=7),
    "true": sent("header", body=True),
    "pydantic": sent("header", body=Model()),
    "nothing": sent("header"),
    "a mapping that is no dict": sent("body", body=MappingProxyType(JSON)),
    "what JSON cannot say": sent("body", body={**JSON, "x": object()}),
    "omit in a body": sent("body", body={**JSON, "x": openai.omit}),
    "keys that are no text": sent("body", body={**JSON, 1: 2}),
    "a form's type, and a dict": sent(
        "header", body=JSON, options=given(headers={"Content-Type": FORM})
    ),
    "a type of JSON": sent(
        "body", body=JSON, options=given(headers={"Content-Type": "application/json; charset=utf8"})
    ),
    "text/plain": sent("header", body=JSON, options=given(headers={"Content-Type": "text/plain"})),
    "no type": sent("body", body=JSON, options=given(headers={"Content-Type": openai.omit})),
    "two spellings of the type": sent(
        "header", body=JSON, options=given(headers={"content-type": "text/plain"})
    ),
    "multipart": sent("body", body=JSON, files=FILE, options=given(headers=MULTIPART)),
    "multipart without a file": sent("body", body={"model": "m"}, options=given(headers=MULTIPART)),
    "multipart without fields": sent("header", files=FILE, options=given(headers=MULTIPART)),
    "multipart with a boundary": sent(
        "body",
        body={"model": "m"},
        files=FILE,
        options=given(headers={"Content-Type": "multipart/form-data; boundary=mine"}),
    ),
    "multipart of a list": sent("header", body=[1], options=given(headers=MULTIPART)),
    "files without the type": sent("header", body=JSON, files=FILE),
    "content and body": sent("header", body=JSON, content=b"x"),
    "content and files": sent("header", content=b"x", files=FILE),
    "extra_body": Row(lambda c, **o: chat(c, extra_body={"seed": 1}, **o)),
    "extra_body: list": Row(lambda c, **o: chat(c, extra_body=[1], **o), "header"),
    "extra_body: text": Row(lambda c, **o: chat(c, extra_body="x", **o), "header"),
    "extra_body: a mapping": Row(
        lambda c, **o: chat(c, extra_body=MappingProxyType({"a": 1}), **o)
    ),
    "extra_body alone": sent("body", options=given(extra_json=JSON)),
    "extra_body of a list": sent("header", body=[1], options=given(extra_json=JSON)),
    "extra_body of bytes": sent("header", body=b"{}", options=given(extra_json=JSON)),
    "extra_query": Row(lambda c, **o: chat(c, extra_query={"a": [1, 2]}, **o)),
    "a query in the path": sent("body", "/chat/completions?a=b", body=JSON),
    "stored calls": sent("nowhere", method="get"),
    "a stored call": sent("nowhere", "/chat/completions/x", method="get"),
    "a stored call changed": sent("nowhere", "/chat/completions/x", body=JSON),
    "delete": sent("nowhere", method="delete", body=JSON),
    "put": sent("nowhere", method="put", body=JSON),
    "patch": sent("nowhere", method="patch", body=JSON),
    "raw": Row(lambda c, **o: text_of(c.with_raw_response, **o), kinds=("sync",)),
    "an http header's bytes": Row(lambda c, **o: chat(c, extra_headers={b"x-a": b"b"}, **o)),
    "a bad header": Row(lambda c, **o: chat(c, extra_headers={"x-a": "b\nc"}, **o)),
    "a header that is no text": Row(lambda c, **o: chat(c, extra_headers={"x-a": 7}, **o)),
    "messages that are none": Row(lambda c, **o: c.chat.completions.create(model="m", **o)),
}


def text_of(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(model="m", messages=[]).text


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, row in ROWS.items() for kind in row.kinds]
)
def test_a_request(stage: Stage, name: str, kind: str) -> None:
    stage.check(ROWS[name], kind)
