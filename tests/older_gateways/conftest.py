"""The stage of the conformance suite, with the gateways of an older release, twice each."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.conftest import model, recorder, stage, with_adapter
from older_gateways.releases import RELEASES
from rig.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.harness import Stage
    from rig.gateway import GatewayMode
    from rig.model import ModelServer
    from rig.recorder import Recorder

__all__ = ["model", "recorder", "stage"]

RELEASE = os.environ.get("TRACESPLICE_OLDER_GATEWAY", "")


@pytest.fixture(scope="session")
def both(
    recorder: Recorder, model: ModelServer
) -> Iterator[tuple[dict[GatewayMode, Gateway], dict[GatewayMode, Gateway]]]:
    """The gateways with the adapter, and those without."""
    release = RELEASES[RELEASE]
    equipped = {
        mode: with_adapter(mode, recorder, model, files=release.files) for mode in release.modes
    }
    plain = {
        mode: Gateway(mode, langfuse_env=recorder.env(), model_url=model.url)
        for mode in release.modes
    }
    with ExitStack() as stack:
        for gateway in (*equipped.values(), *plain.values()):
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in (*equipped.values(), *plain.values()):
            gateway.wait_ready()
        yield equipped, plain


@pytest.fixture(scope="session")
def gateways(
    both: tuple[dict[GatewayMode, Gateway], dict[GatewayMode, Gateway]],
) -> dict[GatewayMode, Gateway]:
    return both[0]


@pytest.fixture(scope="session")
def plain_stage(
    stage: Stage, both: tuple[dict[GatewayMode, Gateway], dict[GatewayMode, Gateway]]
) -> Stage:
    return replace(stage, gateways=both[1])
