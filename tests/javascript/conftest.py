"""A gateway in each mode, and Node.js with the packages of package.json in build/."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.conftest import model, started, with_adapter
from rig.patience import PATIENCE
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.gateway._process import clean_environment
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.model import ModelServer

__all__ = ["model"]

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "javascript"
NPM = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")
ENVIRONMENT = "javascript"


@dataclass(frozen=True)
class Node:
    """Runs the programs of this folder."""

    recorder: Recorder
    model_url: str

    def run(self, program: str, gateway: Gateway) -> str:
        """Run a program and return what it wrote."""
        result = subprocess.run(
            ["node", "--throw-deprecation", program],
            cwd=BUILD,
            env=clean_environment(
                self.recorder.env(),
                {
                    "LITELLM_PROXY_API_BASE": gateway.url,
                    "LITELLM_PROXY_API_KEY": gateway.key,
                    "LANGFUSE_TRACING_ENVIRONMENT": ENVIRONMENT,
                    "OTHER_HOST": f"{self.model_url}/v1",
                },
            ),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return result.stdout


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        recorder.add_prompt("greeting", "Say hello.", labels=["production"])
        recorder.add_prompt("greeting", "Say goodbye.")
        yield recorder


@pytest.fixture(scope="session")
def node(recorder: Recorder, model: ModelServer) -> Node:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    for path in HERE.glob("*.mjs"):
        shutil.copy(path, BUILD)
    wanted, installed = (HERE / "package.json").read_text(), BUILD / "installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        (BUILD / "package.json").write_text(wanted)
        result = subprocess.run(NPM, cwd=BUILD, capture_output=True, text=True)
        if any(code in result.stderr for code in OFFLINE):
            pytest.skip("npm does not reach its registry")
        assert result.returncode == 0, result.stderr
        installed.write_text(wanted)
    return Node(recorder, model.url)


@pytest.fixture(scope="session")
def gateways(
    recorder: Recorder, model: ModelServer, node: Node
) -> Iterator[dict[GatewayMode, Gateway]]:
    yield from started({mode: with_adapter(mode, recorder, model) for mode in GatewayMode})


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value, scope="module")
def gateway(request: pytest.FixtureRequest, gateways: dict[GatewayMode, Gateway]) -> Gateway:
    return gateways[request.param]
