"""What the adapter says the SDK will send is what the SDK itself makes of it."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai._models import FinalRequestOptions

from tracesplice._sdk_options import address_of, written_in
from tracesplice.adapter import header_values
from tracesplice_openai._sdk import sdk

HTTP = openai.DefaultHttpxClient(verify=False)


@pytest.mark.parametrize(
    "base", ["http://gw", "http://gw:4000/", "http://gw/v1", "http://gw/a_b/v1/"]
)
@pytest.mark.parametrize(
    "path", ["/chat/completions", "rerank", "/a/../b", "//x/y", "http://other/z", "/q?a=b", "/%2e"]
)
def test_the_address_is_the_sdk_s(base: str, path: str) -> None:
    client = openai.OpenAI(base_url=base, api_key="k", http_client=HTTP)
    assert address_of(sdk.kind, client, path) == str(client._prepare_url(path))


def test_a_class_of_the_user_s_is_asked() -> None:
    class Elsewhere(openai.OpenAI):
        def _prepare_url(self, url: str) -> object:  # type: ignore[override]
            return f"http://elsewhere{url}"

    client = Elsewhere(base_url="http://gw", api_key="k", http_client=HTTP)
    assert address_of(sdk.kind, client, "/chat/completions") == "http://elsewhere/chat/completions"


HEADERS: list[dict[str, Any]] = [
    {},
    {"traceparent": "a"},
    {"Traceparent": "b"},
    {"TRACEPARENT": openai.Omit()},
    {"Content-Type": "multipart/form-data"},
    {"content-type": "text/plain"},
    {"Content-Type": "application/json; charset=utf-8", "x-a": "b"},
]


class Traced(openai.OpenAI):
    """A client of the user's, which writes a header of its own."""

    @property
    def default_headers(self) -> dict[str, Any]:
        return {**super().default_headers, "traceparent": "c"}


@pytest.mark.parametrize("own", HEADERS)
@pytest.mark.parametrize("of_client", HEADERS)
@pytest.mark.parametrize("kind", [openai.OpenAI, Traced])
def test_what_was_written_is_what_is_sent(
    kind: type[openai.OpenAI], of_client: dict[str, Any], own: dict[str, Any]
) -> None:
    client = kind(base_url="http://gw", api_key="k", default_headers=of_client, http_client=HTTP)
    options = FinalRequestOptions.construct(method="post", url="/x", headers=own, json_data={})
    # Of two spellings of a name the SDK may send both; the later one counts.
    sent = dict(client._build_headers(options).multi_items())
    found = written_in(sdk.kind, client, options)
    texts = [text for text in header_values(found.headers, "traceparent") if text is not None]
    assert texts[-1:] == ([sent["traceparent"]] if "traceparent" in sent else [])
    content_type = sent.get("content-type", "")
    assert found.is_form is content_type.startswith("multipart/form-data")
    taken = found.is_form or content_type.startswith("application/json")
    assert found.body == ({} if taken else None)


@pytest.mark.parametrize(
    ("fields", "body", "field"),
    [
        ({"json_data": {"a": 1, "b": openai.Omit()}}, {"a": 1}, "json_data"),
        ({"json_data": {"a": 1}, "extra_json": {"b": 2}}, {"a": 1, "b": 2}, "extra_json"),
        ({"extra_json": {"b": 2}}, {"b": 2}, "extra_json"),
        ({"json_data": [1]}, None, None),
        ({"json_data": {"a": 1}, "files": {"f": b""}}, None, None),
        ({"json_data": {"a": 1}, "content": b"x"}, None, None),
        ({}, None, None),
    ],
)
def test_fields_are_added_where_the_sdk_takes_them(
    fields: dict[str, Any], body: dict[str, Any] | None, field: str | None
) -> None:
    client = openai.OpenAI(base_url="http://gw", api_key="k", http_client=HTTP)
    found = written_in(
        sdk.kind, client, FinalRequestOptions.construct(method="post", url="/x", **fields)
    )
    assert found.body == body
    assert field is None or found.field == field
