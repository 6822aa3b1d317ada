"""The pytest plugin: fixtures for tests of applications. It imports what a test asks for, then."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider

    from tracesplice_testing._stand_in import GatewayStandIn
    from tracesplice_testing.gateway import Gateway
    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Recorder

__all__ = ["contract_tracer_provider", "gateway_stand_in", "langfuse_recorder", "litellm_gateway"]

_MODES = ("langfuse", "langfuse_otel", "langfuse_otel_v2")
_NO_VENV = """no LiteLLM environment is named. Type:
  python -m venv .venv-gateway
  .venv-gateway/bin/pip install 'litellm[proxy]' 'langfuse>=4.7,<5' tracesplice-litellm
  pytest --litellm-venv=.venv-gateway
or set litellm_venv in pytest's configuration, or TRACESPLICE_GATEWAY_VENV."""
# Spans leave as they end, to the recorder, whatever the environment says else.
_CLIENT = {
    "LANGFUSE_TRACING_ENABLED": "true",
    "LANGFUSE_SAMPLE_RATE": "1.0",
    "LANGFUSE_FLUSH_AT": "1",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where LiteLLM is installed, and how it reports."""
    group = parser.getgroup("tracesplice")
    venv = "virtualenv with litellm[proxy] and tracesplice-litellm, for the fixture litellm_gateway"
    group.addoption("--litellm-venv", metavar="PATH", help=venv)
    parser.addini("litellm_venv", venv)
    mode = f"how that gateway reports to Langfuse: {', '.join(_MODES)}"
    group.addoption("--litellm-mode", choices=_MODES, help=mode)
    parser.addini("litellm_mode", mode, default="langfuse_otel")


@pytest.fixture(scope="session")
def _langfuse_server() -> Iterator[Recorder]:
    from tracesplice_testing.recorder import Recorder

    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def langfuse_recorder(
    _langfuse_server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Recorder]:
    """A stand-in for a Langfuse server, empty; `Langfuse()` reports to it.

    Its address and keys stay the same for the whole session. Import what makes a Langfuse client
    when it is imported in the test, or in a fixture that asks for this one.
    """
    _set(monkeypatch, {**_langfuse_server.env(), **_CLIENT})
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1", prepend=",")
    _langfuse_server.clear(for_good=True)
    with _in_no_trace():
        yield _langfuse_server
    _flush()


@pytest.fixture(scope="session")
def _stand_in(_langfuse_server: Recorder) -> Iterator[GatewayStandIn]:
    from tracesplice_testing._stand_in import GatewayStandIn

    with GatewayStandIn(_langfuse_server) as gateway:
        yield gateway


@pytest.fixture
def gateway_stand_in(
    langfuse_recorder: Recorder, _stand_in: GatewayStandIn, monkeypatch: pytest.MonkeyPatch
) -> GatewayStandIn:
    """A server in a LiteLLM gateway's place, in process: it needs no LiteLLM and no model.

    `LITELLM_PROXY_API_BASE` and `LITELLM_PROXY_API_KEY` name it. It answers any model.
    """
    _stand_in.clear()
    _set(monkeypatch, _address(_stand_in.url, _stand_in.key))
    return _stand_in


@pytest.fixture(scope="session")
def _other_host() -> Iterator[ModelServer]:
    from tracesplice_testing.model import ModelServer

    with ModelServer() as server:
        yield server


@pytest.fixture
def _elsewhere(_other_host: ModelServer) -> ModelServer:
    """A host that is no declared gateway."""
    _other_host.clear()
    return _other_host


@pytest.fixture(scope="session")
def contract_tracer_provider() -> TracerProvider:
    """For instrumentors in the tests of `AdapterContract`: Langfuse gets their spans."""
    from opentelemetry.sdk.trace import TracerProvider

    return TracerProvider()


@pytest.fixture(scope="session")
def _contract_langfuse(
    _langfuse_server: Recorder, contract_tracer_provider: TracerProvider
) -> Iterator[Langfuse]:
    """The Langfuse client of the callers in those tests."""
    from langfuse import Langfuse

    import tracesplice

    client = Langfuse(
        base_url=_langfuse_server.url,
        public_key=_langfuse_server.public_key,
        secret_key=_langfuse_server.secret_key,
        tracer_provider=contract_tracer_provider,
        flush_at=1,
        mask_otel_spans=tracesplice.count_usage_once(),
    )
    yield client
    client.shutdown()


@pytest.fixture(scope="session")
def _litellm(_langfuse_server: Recorder, pytestconfig: pytest.Config) -> Iterator[Gateway]:
    named = (
        pytestconfig.getoption("litellm_venv")
        or pytestconfig.getini("litellm_venv")
        or os.environ.get("TRACESPLICE_GATEWAY_VENV")
    )
    if not named:
        pytest.skip(_NO_VENV)
    from tracesplice_testing.gateway import Gateway, GatewayMode
    from tracesplice_testing.model import ModelServer

    mode = pytestconfig.getoption("litellm_mode") or pytestconfig.getini("litellm_mode")
    with (
        ModelServer() as model,
        Gateway(
            GatewayMode(mode),
            langfuse_env=_langfuse_server.env(),
            model_url=model.url,
            adapter=True,
            venv=pytestconfig.rootpath / named,
        ) as gateway,
    ):
        yield gateway


@pytest.fixture
def litellm_gateway(
    langfuse_recorder: Recorder, _litellm: Gateway, monkeypatch: pytest.MonkeyPatch
) -> Gateway:
    """A real LiteLLM proxy with tracesplice's adapter; a stand-in answers in the models' place.

    `LITELLM_PROXY_API_BASE` and `LITELLM_PROXY_API_KEY` name it. It knows any model, and is started
    once in a session.
    """
    _set(monkeypatch, _address(_litellm.url, _litellm.key))
    return _litellm


def _address(url: str, key: str) -> dict[str, str]:
    return {"LITELLM_PROXY_API_BASE": url, "LITELLM_PROXY_API_KEY": key}


def _set(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@contextmanager
def _in_no_trace() -> Iterator[None]:
    """Keeps what a test leaves current, as some tracers do, from the next one."""
    from opentelemetry import context

    token = context.attach(context.Context())
    try:
        yield
    finally:
        context.detach(token)


def _flush() -> None:
    """Sends what a test left, so that the next one does not find it."""
    from opentelemetry import trace

    force_flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if force_flush is not None:
        force_flush()
