"""What is taken for a gateway's address leads there for the HTTP clients, too.

They read addresses by rules of their own: a difference would send a link to another host.
"""

from __future__ import annotations

from posixpath import normpath
from typing import Any
from urllib.parse import unquote

import httpx
import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracesplice._gateway import Gateway

GATEWAY = Gateway.declare("http://gateway.test:4000/team")
HOSTS = ("gateway.test", "GATEWAY.TEST", "gateway.test.", "evil.test", "[::1]", "gateway\u3002test")
PORTS = ("", ":4000", ":04000", ":4001", ":", ":4000%40")
SIGNS = ("@", "\\", "/", "//", "?", "#", ";", "%2f", "%5c", "%40", "%00", "\t", "\r\n", " ", ".")
PATHS = ("team", "/team", "/team/", "/Team", "/teams", "..", "/..", "%2e%2e", "/v1", "/./", "x")
TEXTS = st.lists(st.sampled_from((*HOSTS, *PORTS, *SIGNS, *PATHS)), max_size=9).map("".join)
NEAR = st.tuples(
    st.sampled_from(("", "a@", "evil.test@", "evil.test\\@", "evil.test/")),
    st.sampled_from(HOSTS[:3]),
    st.sampled_from(PORTS[1:3]),
    st.sampled_from(("/team", "/team/", "//team", "/x/../team")),
    st.lists(st.sampled_from((*SIGNS, *PATHS)), max_size=5).map("".join),
).map("".join)


@pytest.mark.parametrize("client", [httpx, httpx2])
@example(text="gateway.test:4000/team\\..\\other")
@example(text="gateway.test:4000/team/%252e%252e/other")
@example(text="gateway.test:4000/team@//../team")
@example(text="gateway.test:4000/team/..//team")
@example(text="evil.test\\@gateway.test:4000/team")
@settings(max_examples=1000)
@given(text=NEAR | TEXTS)
def test_it_leads_where_the_http_client_goes(client: Any, text: str) -> None:
    url = f"http://{text}"
    if not GATEWAY.matches(url):
        return
    try:
        read = client.URL(url)
    except client.InvalidURL:
        return  # no request is made
    assert (read.host.rstrip("."), read.port) == ("gateway.test", 4000)
    path = read.raw_path.decode().partition("?")[0]
    decoded = unquote(unquote(path)).replace("\\", "/")
    assert f"{normpath(decoded)}/".startswith("/team/")


def test_some_of_them_match() -> None:
    assert GATEWAY.matches("http://a@gateway.test.:04000/team/v1")
