"""The stage of the conformance suite, with the gateways of an older release, twice each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conformance.conftest import check, model, recorder, stage, started, table, with_adapter
from older_gateways.releases import RELEASES
from tracesplice_testing.gateway import Gateway, GatewayMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Recorder

__all__ = ["check", "model", "recorder", "stage", "table"]

RELEASE = os.environ.get("TRACESPLICE_OLDER_GATEWAY", "")
MODES = RELEASES[RELEASE].modes if RELEASE in RELEASES else ()


@pytest.fixture(scope="session")
def gateways(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    files = RELEASES[RELEASE].files
    yield from started({mode: with_adapter(mode, recorder, model, files=files) for mode in MODES})


@pytest.fixture(scope="session")
def plain(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    """Those without the adapter."""
    env, url = recorder.env(), model.url
    yield from started({each: Gateway(each, langfuse_env=env, model_url=url) for each in MODES})


@pytest.fixture(params=MODES, ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> GatewayMode:
    return GatewayMode(request.param)
