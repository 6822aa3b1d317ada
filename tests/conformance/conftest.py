"""The stage of the conformance suite: three real gateways, a model, a recorder, one client."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from langfuse import Langfuse
from opentelemetry.sdk.trace import TracerProvider

from conformance.harness import ClientSpans, Stage
from conformance.table import OUTCOMES, Table, installed
from rig.gateway import Gateway, GatewayMode
from rig.model import ModelServer
from rig.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture(scope="session")
def gateways(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    started = {
        mode: Gateway(mode, langfuse_env=recorder.env(), model_url=model.url)
        for mode in GatewayMode
    }
    with ExitStack() as stack:
        for gateway in started.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in started.values():
            gateway.wait_ready()
        yield started


@pytest.fixture(scope="session")
def stage(recorder: Recorder, gateways: dict[GatewayMode, Gateway]) -> Iterator[Stage]:
    os.environ["TRACESPLICE_STRICT"] = "1"
    recorder.add_prompt("ambient", "Say {{what}}", labels=["production"])
    recorder.add_prompt("own", "Never used", labels=[])
    recorder.add_prompt("own", "Say {{what}}", labels=["production"])
    spans = ClientSpans()
    provider = TracerProvider()
    provider.add_span_processor(spans)
    client = Langfuse(
        base_url=recorder.url,
        public_key=recorder.public_key,
        secret_key=recorder.secret_key,
        tracer_provider=provider,
        flush_at=1,
    )
    yield Stage(
        recorder=recorder,
        langfuse=client,
        client_spans=spans,
        gateways=gateways,
        ambient_prompt=client.get_prompt("ambient"),
        own_prompt=client.get_prompt("own"),
    )
    client.shutdown()


@pytest.fixture(scope="module")
def table(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Table]:
    packages = installed(request.module.PACKAGES)
    gateway = stage.gateways[GatewayMode.LANGFUSE]
    outcomes = Table(packages, f"LiteLLM {gateway.version}")
    yield outcomes
    # A run of a few cells picked by hand is no table.
    if outcomes.cells == len(request.module.CELLS):
        name = packages[0].replace(" ", "-")
        outcomes.save(OUTCOMES / f"{request.module.__name__.rpartition('.')[2]}-{name}.json")
