"""A request costs a gateway little: what of ours runs in one is counted, as for a client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tracesplice_testing.gateway import GatewayMode

ROOT = Path(__file__).parents[2]
CALLS = {"langfuse": 90, "langfuse_otel": 89, "langfuse_otel_v2": 131}
MODULES = {"langfuse": 16, "langfuse_otel": 17, "langfuse_otel_v2": 18}


@pytest.fixture(scope="module")
def counted() -> dict[GatewayMode, dict[str, Any]]:
    command = [sys.executable, "bench/counts.py", "--json", "--path"]
    gateway = "TRACESPLICE_GATEWAY_VENV"
    env = {"PYTHONPATH": str(ROOT / "tests"), gateway: os.environ[gateway]}
    started = {
        mode: subprocess.Popen(
            [*command, f"gateway-{mode.value}"], cwd=ROOT, env=env, stdout=subprocess.PIPE
        )
        for mode in GatewayMode
    }
    printed = {mode: process.communicate()[0] for mode, process in started.items()}
    return {mode: json.loads(text) for mode, text in printed.items()}


@pytest.mark.parametrize("mode", GatewayMode)
def test_a_request_makes_few_calls_of_ours(
    counted: dict[GatewayMode, dict[str, Any]], mode: GatewayMode
) -> None:
    found = counted[mode]
    assert 0 < found["calls"] <= CALLS[mode.value], Counter(found["order"])
    assert 0 < found["modules"] <= MODULES[mode.value], Counter(found["order"])
