"""The stage of the conformance suite: three real gateways, a model, a recorder, one client."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import openai
import pytest

import tracesplice
from conformance.curl import PROMPT, Caller
from conformance.harness import Cell, Stage, client_side, run_cell, run_unspliced
from conformance.table import Table
from shapes.either import TLS
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.gateway._config import COSTS
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_K = TypeVar("_K")

NOT_NEEDED = {"langfuse_enable_update_trace_keys": False, "failure_callback": []}
"""Settings of mode `langfuse` that the gateway adapter makes up for."""

# What only a request has that asks for it: by a field or a header, by the name of a model.
TAGS = {"langfuse_default_tags": ["label"], "extra_spend_tag_headers": ["x-department"]}
CACHE = {"cache": True, "cache_params": {"type": "local", "mode": "default_off"}}
GUARD = """
from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information

class Guard(CustomGuardrail):
    @log_guardrail_information
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        said = str(data["messages"])
        if "taken out" in said:
            data["metadata"] = None
        elif "spoilt" in said:
            data["metadata"] |= {"prompt": "x", "existing_trace_id": {}, "trace_tags": 5}
        return data
"""
GUARDRAIL = {"guardrail": "guard.Guard", "mode": "pre_call"}
# LITELLM_OTEL_V2 makes the span of a call afterwards where it could not before.
LATE = """
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.otel.logger import OpenTelemetryV2

in_time = OpenTelemetryV2.log_pre_api_call

def late(*args, **kwargs):
    if "too late" in str((args, kwargs)):
        raise RuntimeError("not now")
    return in_time(*args, **kwargs)

OpenTelemetryV2.log_pre_api_call = late
callback = CustomLogger()
"""

OWN_KEY = f"sk-{secrets.token_hex(24)}"
OWN_PROJECT = ("pk-lf-own", "sk-lf-own")
# A key as the gateway's database would have it: https://docs.litellm.ai/docs/proxy/team_logging
OWN_KEYS = """
import os
from litellm.proxy._types import UserAPIKeyAuth

async def key(request, api_key):
    if api_key != "{}":
        return UserAPIKeyAuth(api_key=api_key)
    names = ("langfuse_public_key", "langfuse_secret_key", "langfuse_host")
    settings = dict(zip(names, ("{}", "{}", os.environ["LANGFUSE_HOST"])))
    kinds = {{"callback_name": "langfuse", "callback_type": "success"}}
    return UserAPIKeyAuth(
        api_key=api_key, metadata={{"logging": [{{**kinds, "callback_vars": settings}}]}}
    )
"""


def with_adapter(
    mode: GatewayMode, recorder: Recorder, model: ModelServer, **options: Any
) -> Gateway:
    """A gateway that has the adapter, and nothing that it makes up for; not started."""
    return Gateway(
        mode,
        langfuse_env=recorder.env(),
        model_url=model.url,
        adapter=True,
        extra_settings=NOT_NEEDED | TAGS,
        **options,
    )


def equipped(mode: GatewayMode, recorder: Recorder, model: ModelServer) -> Gateway:
    """One that also has a cache, a guardrail, and a model `unsure` that falls back to `chat`."""
    broken = {"model": "ollama_chat/llama3.2[[fail:500]]", "api_base": model.url, "max_retries": 0}
    more = {
        "litellm_settings": CACHE,
        "guardrails": [{"guardrail_name": "mine", "litellm_params": GUARDRAIL}],
        "model_list": [{"model_name": "unsure", "litellm_params": {**broken, **COSTS}}],
        "router_settings": {"fallbacks": [{"unsure": ["chat"]}]},
    }
    files = {"guard.py": GUARD, "late.py": LATE}
    late = ["late.callback"] if mode is GatewayMode.LANGFUSE_OTEL_V2 else []
    return with_adapter(mode, recorder, model, config_extra=more, files=files, callbacks=late)


def started(gateways: dict[_K, Gateway]) -> Iterator[dict[_K, Gateway]]:
    """Run gateways, which start at the same time."""
    with ExitStack() as stack:
        for gateway in gateways.values():
            stack.callback(gateway.stop)
            gateway.start()
        for gateway in gateways.values():
            gateway.wait_ready()
        yield gateways


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    # A server that knows every model: what gives neither usage nor cost is priced, and not at the
    # gateway's rates.
    with Recorder(default_prices={"input": 7e-6, "output": 11e-6}) as server:
        server.add_prompt(PROMPT, "Never used", labels=[])
        server.add_prompt(PROMPT, "Say {{what}}", labels=["production"])
        yield server


@pytest.fixture(scope="session")
def gateways(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    yield from started({mode: equipped(mode, recorder, model) for mode in GatewayMode})


@pytest.fixture(scope="session")
def stage(recorder: Recorder, gateways: dict[GatewayMode, Gateway]) -> Iterator[Stage]:
    os.environ["TRACESPLICE_STRICT"] = "1"
    with client_side(recorder) as client:
        yield Stage(gateways=gateways, **client)


@pytest.fixture(scope="module")
def table(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Table]:
    [gateway, *_] = stage.gateways.values()
    outcomes = Table(request.module.__name__.rpartition("_")[2], gateway.version)
    yield outcomes
    # A run of a few cells picked by hand is no table.
    if outcomes.cells == len(request.module.CELLS):
        outcomes.save()


@pytest.fixture
def _sdk_untraced() -> None:
    """Langfuse patches the OpenAI SDK for the rest of the process, so the others come first."""
    assert "langfuse.openai" not in sys.modules, "run tests/conformance by itself"


@pytest.fixture(scope="module")
def check(table: Table) -> Callable[..., None]:
    """Runs a cell, notes it in the table, and fails for what does not hold beside what is known."""
    answers: dict[tuple[str, ...], Any] = {}

    def run(stage: Stage, cell: Cell, known: Collection[str] = ()) -> None:
        key = (cell.framework.name, cell.shape.name, cell.kind)
        if key not in answers:
            stage.clear()
            answers[key] = run_unspliced(stage, cell)
        outcome = run_cell(stage, cell, answers[key])
        table.add(cell, outcome)
        wrong = {name: text for name, text in outcome.checks.items() if text is not None}
        assert wrong.keys() == set(known), f"{wrong}\n{outcome.recorded}"

    return run


@pytest.fixture(scope="session")
def special(recorder: Recorder, model: ModelServer) -> Iterator[dict[GatewayMode, Gateway]]:
    """Gateways whose settings concern every request: server spans, routing, keys, workers."""
    recorder.add_project(*OWN_PROJECT)
    routing = {"router_settings": {"enable_tag_filtering": True}}
    spans = {"extra_env": {"TRACESPLICE_SERVER_SPANS": "true"}, "config_extra": routing}
    own: dict[str, Any] = {
        "files": {"own.py": OWN_KEYS.format(OWN_KEY, *OWN_PROJECT)},
        "config_extra": {**routing, "general_settings": {"custom_auth": "own.key"}},
    }
    modes: dict[GatewayMode, dict[str, Any]] = {
        GatewayMode.LANGFUSE: own,
        GatewayMode.LANGFUSE_OTEL: spans,
        GatewayMode.LANGFUSE_OTEL_V2: {**spans, "workers": 2},
    }
    common: dict[str, Any] = {"langfuse_env": recorder.env(), "model_url": model.url}
    yield from started(
        {mode: Gateway(mode, adapter=True, **common, **more) for mode, more in modes.items()}
    )


@pytest.fixture(params=GatewayMode, ids=lambda mode: mode.value)
def mode(request: pytest.FixtureRequest) -> GatewayMode:
    return GatewayMode(request.param)


@pytest.fixture
def gateway(gateways: dict[GatewayMode, Gateway], mode: GatewayMode) -> Gateway:
    return gateways[mode]


@pytest.fixture
def caller(gateway: Gateway, recorder: Recorder) -> Caller:
    return Caller(gateway, recorder)


@pytest.fixture
def client(stage: Stage, mode: GatewayMode) -> Iterator[openai.OpenAI]:
    """A spliced client of the gateway in the test's mode, with nothing reported before."""
    gateway = stage.gateways[mode]
    stage.clear()
    http = openai.DefaultHttpxClient(verify=TLS)
    with openai.OpenAI(
        base_url=gateway.url, api_key=gateway.key, max_retries=0, http_client=http
    ) as plain:
        yield tracesplice.splice(plain)
