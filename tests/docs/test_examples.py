"""Each example runs against a real gateway and leaves one trace, nested right."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.patience import PATIENCE
from tracesplice_testing.gateway import Gateway, GatewayMode
from tracesplice_testing.gateway._process import clean_environment
from tracesplice_testing.model import ModelServer
from tracesplice_testing.recorder import Recorder
from workers.servers import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.recorder import Observation

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py"))
CALLS = {
    "openai_async": 3,
    "spreading_threads": 3,
    "spreading_processes": 3,
    "spreading_ray": 3,
    "spreading_celery": 3,
    "langchain_streaming": 3,
    "langchain_agent": 2,
    "llama_index_agent": 2,
}
ANSWERS = {
    "langchain_agent": "It is sunny in",
    "llama_index_agent": "It is sunny in",
    "llama_index_quickstart": "echo: Context information",
}
# LlamaIndex and OpenInference look at attributes that pydantic calls deprecated.
WARNINGS = ("-W", "error", "-W", "ignore::DeprecationWarning")
GATEWAY_GENERATION = "litellm-acompletion"


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        recorder.add_prompt("greeting", "Say hello.", labels=["production"])
        yield recorder


@pytest.fixture(scope="module")
def gateway(recorder: Recorder) -> Iterator[Gateway]:
    with (
        ModelServer() as model,
        Gateway(GatewayMode.LANGFUSE, langfuse_env=recorder.env(), model_url=model.url) as gateway,
    ):
        yield gateway


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What a program that starts Ray needs to leave nothing behind."""
    if "spreading_ray" not in request.node.name:
        yield {}
        return
    pytest.importorskip("ray")
    # The paths of the sockets in it have to be short.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        yield {"RAY_TMPDIR": folder, "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What a program that hands out Celery tasks needs."""
    if "spreading_celery" not in request.node.name:
        yield {}
        return
    with redis() as url:
        # Celery warns of root, as one is in a container.
        yield {"REDIS_URL": url, "PYTHONWARNINGS": "ignore::UserWarning"}


def run(program: str, *layers: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *WARNINGS, str(EXAMPLES / f"{program}.py")],
        env=clean_environment({"TRACESPLICE_STRICT": "1"}, *layers),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def access(gateway: Gateway) -> dict[str, str]:
    return {"LITELLM_PROXY_API_BASE": gateway.url, "LITELLM_PROXY_API_KEY": gateway.key}


def reported(recorder: Recorder, calls: int) -> list[Observation] | None:
    found = [each for each in recorder.observations() if each.name == GATEWAY_GENERATION]
    return found if len(found) >= calls else None


def test_there_are_examples() -> None:
    assert len(PROGRAMS) >= 15


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_leaves_one_trace(
    program: str,
    recorder: Recorder,
    gateway: Gateway,
    cluster: dict[str, str],
    broker: dict[str, str],
) -> None:
    recorder.clear()
    calls = CALLS.get(program, 1)
    result = run(program, recorder.env(), access(gateway), cluster, broker)
    assert result.returncode == 0, result.stderr
    answer = ANSWERS.get(program)
    assert result.stdout.count(answer or "echo: Say ") == (1 if answer else calls)

    generations = recorder.wait_for(lambda each: reported(each, calls))
    [trace] = recorder.traces()
    assert len(generations) == calls
    own = {each.id: each for each in trace.observations if each not in generations}
    parents = [own[str(generation.parent_id)] for generation in generations]
    assert len({parent.id for parent in parents}) == calls
    assert "tracesplice" not in result.stderr, result.stderr
    counted = sum(each.usage.get("total", 0) for each in trace.observations)
    assert counted == sum(each.usage["total"] for each in generations), recorder.report()
    wanted = "SPAN" if program == "openai_instrument" else "GENERATION"
    assert {parent.type for parent in parents} == {wanted}, recorder.report()
    if program.endswith("_prompt"):
        sides = [*generations, *parents]
        assert {(each.prompt_name, each.prompt_version) for each in sides} == {("greeting", 1)}
    if program.endswith("_quickstart"):
        [generation] = generations
        assert (generation.user_id, generation.session_id) == ("ada", "monday")
    if program == "openai_quickstart":
        assert "example" in generations[0].tags
    # A prompt in force around a span is written on the span too; Langfuse ignores it there.
    assert {each.kind for each in recorder.problems()} <= {"prompt-type"}


def test_a_setting_that_is_missing_is_named() -> None:
    result = run("openai_quickstart", {"LANGFUSE_PUBLIC_KEY": "pk-any"})
    assert result.returncode == 1
    assert "LITELLM_PROXY_API_BASE" in result.stderr


def test_where_no_redis_answers_it_says_what_to_type(gateway: Gateway) -> None:
    nowhere = {"LANGFUSE_PUBLIC_KEY": "pk-any", "REDIS_URL": "redis://127.0.0.1:1"}
    result = run("spreading_celery", access(gateway), nowhere)
    assert result.returncode == 1
    assert "redis-server &" in result.stderr


def show(*layers: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run what `make example` runs."""
    return subprocess.run(
        [sys.executable, "-m", "rig.example", "spreading_celery"],
        env=clean_environment(*layers),
        cwd=EXAMPLES.with_name("tests"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_one_command_shows_what_an_example_leaves(recorder: Recorder, gateway: Gateway) -> None:
    recorder.clear()
    result = show(recorder.env(), access(gateway), {"TRACESPLICE_DEMO_MODEL": "chat"})
    assert result.returncode == 0, result.stderr
    assert "Starting Redis" in result.stdout
    assert result.stdout.count("echo: Say ") == 3
    [_, tree] = result.stdout.split("trace 'celery'")
    assert [tree.count(name) for name in ("SPAN 'task'", GATEWAY_GENERATION)] == [3, 3]


def test_one_command_says_what_is_missing() -> None:
    result = show({"PATH": ""})
    assert result.returncode == 2
    assert "apt-get install redis-server" in result.stdout
