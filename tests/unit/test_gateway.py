"""Which requests go to a declared gateway and call a model, and which addresses are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracesplice import TracespliceError
from tracesplice._gateway import BASE_VARIABLE, MODEL_ROUTES, Gateway, default_gateway

CHAT = "/chat/completions"


@pytest.mark.parametrize(
    ("declared", "request_url"),
    [
        ("http://gw:4000//v1//", "http://gw:4000/v1" + CHAT),
        ("http://gw:4000", "http://gw:4000"),
        ("http://gw:4000", "http://gw:4000/openai/deployments/x" + CHAT + "?api-version=1"),
        ("http://gw", "http://gw:80/v1" + CHAT),
        ("https://gw:443", "https://gw/v1" + CHAT),
        ("HTTP://GW:4000/V", "http://gw:4000/V" + CHAT),
        ("http://gw.example.", "http://gw.example/v1" + CHAT),
        ("http://[::1]:4000/v1", "http://[::1]:4000/v1" + CHAT),
        ("http://user:secret@gw", "http://gw/v1" + CHAT),
        ("http://gw/llm", "http://gw/llm//v1" + CHAT),
        ("http://gw/llm", "http://gw/other/../llm/v1" + CHAT),
        ("http://gw/a/../llm", "http://gw/llm/v1" + CHAT),
        ("http://gw", "http://gw/%2e%2e/v1" + CHAT),
        ("http://gw/llm", "http://gw/llm/deployments/openai%2Fgpt" + CHAT),
        # Hosts that only look like a provider's.
        ("https://myopenai.com", "https://myopenai.com" + CHAT),
        ("https://openai.com.gw.example", "https://openai.com.gw.example" + CHAT),
        ("https://max.ai", "https://max.ai" + CHAT),
        ("http://openai", "http://openai" + CHAT),
    ],
)
def test_a_request_below_the_address_is_the_gateway_s(declared: str, request_url: str) -> None:
    assert Gateway.declare(declared).matches(request_url)


@pytest.mark.parametrize(
    ("declared", "request_url"),
    [
        ("http://gw", "https://gw/v1" + CHAT),
        ("http://gw", "http://gw@evil.example/v1" + CHAT),
        ("http://gw/llm", "http://gw/LLM/v1" + CHAT),
        ("http://gw/llm", "http://gw/v1" + CHAT),
        ("http://gw/v1/llm", "http://gw/llm" + CHAT),
        ("http://[::1]:4000", "http://[::2]:4000/v1" + CHAT),
        ("http://gw", "/v1" + CHAT),
        ("http://gw", "gw/v1" + CHAT),
        ("http://gw", "ftp://gw/v1" + CHAT),
        ("http://gw", "http://gw:port/v1" + CHAT),
        ("http://gw", "http://[gw/v1" + CHAT),
        *(
            ("http://gw/llm", f"http://gw/{path}/v1{CHAT}")
            for path in (
                "llm/../other",
                "/llm",
                "llm/..//other",
                "llm/%2e%2e/other",
                "llm/.%2E/other",
                "llm/%252e%252e/other",
                "llm/..%2fother",
                "llm/..\\other",
                "llm/..%5cother",
                "llm/..;a=b/other",
            )
        ),
        ("http://gw", ""),
    ],
)
def test_a_request_elsewhere_is_not(declared: str, request_url: str) -> None:
    assert not Gateway.declare(declared).matches(request_url)


@pytest.mark.parametrize(
    "url",
    [
        *MODEL_ROUTES,
        "chat/completions",
        "/v2/rerank",
        "/openai/deployments/gpt/chat/completions?api-version=1",
        "http://gw:4000/v1/chat/completions/",
    ],
)
def test_a_route_that_calls_a_model(url: str) -> None:
    assert Gateway.calls_model(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/models",
        "/files",
        "/batches",
        "/responses/resp_1",
        "/chat/completions/id/messages",
        "/v1/threads/id/messages",
        "/v1/messages/count_tokens",
        "/videos/id/content",
        "/responses/id/cancel",
        "/audio/voices",
        "/images",
        "/mycompletions",
        "/models?next=/chat/completions",
    ],
)
def test_any_other_route(url: str) -> None:
    assert not Gateway.calls_model(url)


def test_an_adapter_may_have_routes_of_its_own() -> None:
    assert Gateway.calls_model("http://gw/model/m/converse?x=1", ("/converse",))
    assert not Gateway.calls_model(CHAT, ("/converse",))


@pytest.mark.parametrize(
    "wrong",
    [
        "localhost:4000",
        "gw",
        "",
        "/v1",
        "ftp://gw",
        "http://",
        "http://gw:x",
        "http://[",
        7,
        None,
        "http://gw/%2e%2e",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(wrong: object) -> None:
    with pytest.raises(TracespliceError, match=r"no gateway address.*'http://localhost:4000'"):
        Gateway.declare(wrong)


def test_the_address_of_a_kind_of_call_is_refused() -> None:
    with pytest.raises(TracespliceError, match=r"of one kind of call.*'http://localhost:4000'"):
        Gateway.declare("http://gw/v1/chat/completions")


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://API.OPENAI.COM:443/v1/", "OpenAI"),
        ("https://api.openai.com./v1", "OpenAI"),
        ("https://eu.api.openai.com/v1", "OpenAI"),
        ("https://mine.openai.azure.com/openai", "Azure OpenAI"),
        ("https://openrouter.ai/api/v1", "OpenRouter"),
        ("https://api.x.ai/v1", "xAI"),
    ],
)
def test_a_provider_is_refused_with_what_to_pass(url: str, provider: str) -> None:
    with pytest.raises(TracespliceError) as caught:
        Gateway.declare(url)
    message = str(caught.value)
    assert f"is {provider} itself, not a LiteLLM gateway" in message
    assert 'base_url="http://localhost:4000"' in message


def test_a_url_object_is_read_by_its_text() -> None:
    class Url:
        def __str__(self) -> str:
            return "http://gw:4000/v1/"

    assert Gateway.declare(Url()) == Gateway.declare("http://gw:4000")


@pytest.mark.parametrize(
    ("url", "shown"),
    [("HTTP://me:secret@GW/v1/", "http://gw:80"), ("https://[::1]/llm", "https://[::1]:443/llm")],
)
def test_a_gateway_shows_its_normal_form_without_credentials(url: str, shown: str) -> None:
    assert str(Gateway.declare(url)) == shown


def test_the_default_is_litellm_s_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_PROXY_API_BASE", "http://gw:4000/")
    assert default_gateway() == Gateway.declare("http://gw:4000")
    monkeypatch.setenv(BASE_VARIABLE, "")
    with pytest.raises(TracespliceError, match="LITELLM_PROXY_API_BASE"):
        default_gateway()


def test_the_variable_that_names_a_provider_is_what_to_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(BASE_VARIABLE, "https://api.openai.com/v1")
    with pytest.raises(TracespliceError, match='such as LITELLM_PROXY_API_BASE="http://localhost'):
        default_gateway()


@pytest.mark.parametrize("password", ["xq?zk", "xq#zk", "xq/zk?xq"])
def test_no_part_of_a_password_is_shown(password: str) -> None:
    with pytest.raises(TracespliceError) as error:
        Gateway.declare(f"https://me:{password}@host/v1")
    assert not [part for part in ("me:", "xq", "zk") if part in str(error.value)]


HOST = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8}){0,2}", fullmatch=True).map(
    lambda host: host + ".test"
)
PORT = st.integers(1, 65535)
SEGMENT = st.from_regex(r"[A-Za-z0-9_~-]{1,8}", fullmatch=True).filter(lambda part: part != "v1")
PREFIX = st.lists(SEGMENT, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))
ENDING = st.sampled_from(["", "/", "/v1", "/v1/"])


@given(host=HOST, port=PORT, prefix=PREFIX, ending=ENDING, other=ENDING)
def test_every_spelling_of_an_address_is_the_same_gateway(
    host: str, port: int, prefix: str, ending: str, other: str
) -> None:
    gateway = Gateway.declare(f"http://{host}:{port}{prefix}{ending}")
    assert gateway == Gateway.declare(f"HTTP://{host.upper()}:{port}{prefix}{other}")
    assert gateway == Gateway.declare(str(gateway))
    assert gateway.matches(f"http://{host}:{port}{prefix}/v1{CHAT}")
    assert gateway.matches(f"http://{host}:{port}{prefix}{CHAT}")


@given(host=HOST, port=PORT, prefix=PREFIX, ending=ENDING, suffix=SEGMENT)
def test_a_longer_host_or_segment_never_matches(
    host: str, port: int, prefix: str, ending: str, suffix: str
) -> None:
    gateway = Gateway.declare(f"http://{host}:{port}{prefix}{ending}")
    assert not gateway.matches(f"http://{host}.{suffix}:{port}{prefix}{CHAT}")
    assert not gateway.matches(f"http://x{host}:{port}{prefix}{CHAT}")
    assert not gateway.matches(f"http://{host}:{port % 65535 + 1}{prefix}{CHAT}")
    if prefix:
        assert not gateway.matches(f"http://{host}:{port}{prefix}{suffix}{CHAT}")


@given(st.text())
def test_any_text_is_an_address_or_an_error_that_says_why(text: str) -> None:
    Gateway.declare("http://gw").matches(text)  # never raises
    Gateway.declare("http://gw").matches("http://" + text)
    try:
        gateway = Gateway.declare(text)
    except TracespliceError:
        return
    assert gateway.matches(text)
