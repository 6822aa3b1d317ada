"""The doctor, run as its command, and the servers it looks at."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tracesplice_cli import command
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ADAPTER = "tracesplice_litellm.adapter"
LIMITED = "sk-may-call-models-only"
# https://docs.litellm.ai/docs/proxy/custom_auth: keys with rights of their own need no database.
AUTH = f"""
import os
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

async def check(request, api_key):
    if api_key == {LIMITED!r}:
        return UserAPIKeyAuth(api_key=api_key, allowed_routes=["llm_api_routes"])
    return UserAPIKeyAuth(api_key=api_key, user_role=LitellmUserRoles.PROXY_ADMIN)
"""
CACHE = {"type": "local"}  # https://docs.litellm.ai/docs/proxy/caching
SAMPLER = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"}
LANGFUSE, OTEL, OTEL_V2 = GatewayMode


@dataclass
class Outcome:
    """What the doctor said."""

    code: int
    output: str
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def state(self, check: str) -> str:
        return str(self.findings[check]["state"])

    def text(self, check: str) -> str:
        found = self.findings[check]
        return "\n".join([found["what"], found["why"], *found["type"]])

    def problems(self) -> set[str]:
        return {check for check, each in self.findings.items() if each["state"] == "problem"}


class Doctor:
    """Runs the command in an environment of its own: Langfuse is the recorder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)

    def of(self, gateway: Gateway, **more: str) -> Doctor:
        return self.with_(
            LITELLM_PROXY_API_BASE=gateway.url, LITELLM_PROXY_API_KEY=gateway.key, **more
        )

    def with_(self, **more: str) -> Doctor:
        return Doctor(self._environment | more)

    def run(self, *options: str) -> Outcome:
        """Its answer as a program reads it."""
        result = CliRunner().invoke(command, ["doctor", "--json", *options], env=self._environment)
        assert not isinstance(result.exception, Exception), result.output
        found = json.loads(result.stdout) if result.stdout else {"findings": []}
        findings = {each["check"]: each for each in found["findings"]}
        assert len(findings) == len(found["findings"])
        return Outcome(result.exit_code, result.output, findings)

    def show(self, *options: str) -> str:
        """Its answer as a person reads it."""
        return CliRunner().invoke(command, ["doctor", *options], env=self._environment).output


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("LANGFUSE_", "OTEL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for name in ("LITELLM_PROXY_API_BASE", "LITELLM_PROXY_API_KEY", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def doctor(recorder: Recorder) -> Doctor:
    recorder.clear()
    return Doctor(recorder.env())


@pytest.fixture(scope="session")
def gateways(recorder: Recorder) -> Iterator[dict[str, Gateway]]:
    """One in each mode with the adapter, one that does not report, and so on.

    That of mode LITELLM_OTEL_V2 caches answers, of which it reports no generation. One is without
    the adapter, one has a sampler of its own.
    """
    with ModelServer() as model, ExitStack() as stack:
        options: dict[str, Any] = {"langfuse_env": recorder.env(), "model_url": model.url}
        own_auth = {"general_settings": {"custom_auth": "own_auth.check"}}
        made = {
            "langfuse": Gateway(LANGFUSE, adapter=True, **options),
            "langfuse_otel": Gateway(
                OTEL, adapter=True, files={"own_auth.py": AUTH}, config_extra=own_auth, **options
            ),
            "langfuse_otel_v2": Gateway(
                OTEL_V2,
                adapter=True,
                extra_settings={"cache": True, "cache_params": CACHE},
                **options,
            ),
            "silent": Gateway(OTEL, extra_settings={"callbacks": [ADAPTER]}, **options),
            "plain": Gateway(OTEL, **options),
            "sampling": Gateway(OTEL, adapter=True, extra_env=SAMPLER, **options),
        }
        for gateway in made.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in made.values():
            gateway.wait_ready()
        yield made
