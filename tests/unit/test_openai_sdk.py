"""What the adapter says the SDK will send is what the SDK itself makes of it."""

from __future__ import annotations

import openai
import pytest

from tracesplice_openai._sdk import address_of

HTTP = openai.DefaultHttpxClient(verify=False)


@pytest.mark.parametrize(
    "base", ["http://gw", "http://gw:4000/", "http://gw/v1", "http://gw/a_b/v1/"]
)
@pytest.mark.parametrize(
    "path", ["/chat/completions", "rerank", "/a/../b", "//x/y", "http://other/z", "/q?a=b", "/%2e"]
)
def test_the_address_is_the_sdk_s(base: str, path: str) -> None:
    client = openai.OpenAI(base_url=base, api_key="k", http_client=HTTP)
    assert address_of(client, path) == str(client._prepare_url(path))


def test_a_class_of_the_user_s_is_asked() -> None:
    class Elsewhere(openai.OpenAI):
        def _prepare_url(self, url: str) -> object:  # type: ignore[override]
            return f"http://elsewhere{url}"

    client = Elsewhere(base_url="http://gw", api_key="k", http_client=HTTP)
    assert address_of(client, "/chat/completions") == "http://elsewhere/chat/completions"
