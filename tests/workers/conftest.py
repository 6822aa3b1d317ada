"""A gateway, a model, a recorder and a broker for everything that is spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.gateway._process import clean_environment
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder
from workers.servers import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        recorder.add_prompt("spread", "Say it.", labels=["production"])
        yield recorder


@pytest.fixture(scope="session")
def gateway(recorder: Recorder) -> Iterator[Gateway]:
    with (
        ModelServer() as model,
        Gateway(
            GatewayMode.LANGFUSE, langfuse_env=recorder.env(), model_url=model.url, adapter=True
        ) as gateway,
    ):
        yield gateway


@pytest.fixture(scope="session")
def own_env(recorder: Recorder, gateway: Gateway) -> dict[str, str]:
    """The environment of applications and workers, without that of what spreads the work."""
    return clean_environment(
        recorder.env(),
        {
            "LITELLM_PROXY_API_BASE": gateway.url,
            "LITELLM_PROXY_API_KEY": gateway.key,
            "LANGFUSE_TRACING_ENVIRONMENT": "workers",
            "TRACESPLICE_STRICT": "1",
            "LANGFUSE_FLUSH_INTERVAL": "600",  # it is the engines' adapters that have it sent
        },
    )


@pytest.fixture(scope="session")
def env(own_env: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of applications and Celery's workers."""
    with redis() as url:
        yield {**own_env, "WORKERS_BROKER": url}
