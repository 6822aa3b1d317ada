"""The tutorial leads to the trace that it shows, with the files and the commands that it names."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.test_pages import WARNINGS, blocks, put_files
from rig.patience import PATIENCE
from tracesplice_testing.gateway._http import request
from tracesplice_testing.gateway._process import (
    ProxyProcess,
    clean_environment,
    find_venv,
    free_port,
)
from tracesplice_testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracesplice_testing.recorder import Observation

PAGE = Path("docs/tutorial.md")
START = "gateway/bin/litellm --config config.yaml --port 4000"
APP = "app/bin/python app.py"
VARIABLES = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tutorial")
    put_files(PAGE, found)
    return found


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with Recorder() as recorder:
        recorder.add_prompt("greeting", "Greet {{name}}.", labels=["production"])
        yield recorder


@pytest.fixture(scope="module")
def env(recorder: Recorder) -> dict[str, str]:
    key = {"LITELLM_MASTER_KEY": f"sk-{secrets.token_hex(24)}"}
    return clean_environment(VARIABLES, recorder.env(), key)


@pytest.fixture(scope="module")
def gateway(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """The gateway of the page, on a free port."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = START.replace("gateway/bin", f"{find_venv()}/bin").replace("4000", str(port))
    process = ProxyProcess(command.split(), env, folder / "log", folder)
    try:
        wait_for(url, process, folder / "log")
        yield url
    finally:
        process.stop()


def answers(url: str) -> bool:
    try:
        return request(f"{url}/health/readiness", timeout=5).status == 200
    except OSError:
        return False


def wait_for(url: str, process: ProxyProcess, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.exit_code is None:
        if answers(url):
            return
        time.sleep(0.2)
    pytest.fail(log.read_text())


def line(observation: Observation) -> list[str]:
    """What the page shows of a generation, below its name."""
    return [
        f"prompt {observation.prompt_name} v{observation.prompt_version}",
        f"{observation.usage.get('total', 0)} tokens · ${observation.cost:.6f}",
        f"user {observation.user_id} · session {observation.session_id}",
    ]


def drawn(recorder: Recorder) -> list[str] | None:
    traces = recorder.traces()
    found = [each for each in recorder.observations() if each.type == "GENERATION"]
    if len(found) < 2:
        return None
    assert len(traces) == 1, recorder.report()
    [root] = traces[0].roots()
    [client] = traces[0].children(root.id)
    [served] = traces[0].children(client.id)
    told = [f"{client.name}  app", *line(client), f"{served.name}  gateway", *line(served)]
    return [f"{root.name}  app", *told]


def test_it_ends_in_the_trace_that_it_shows(
    folder: Path, gateway: str, env: dict[str, str], recorder: Recorder
) -> None:
    command = [*APP.replace("app/bin/python", sys.executable).split()]
    result = subprocess.run(
        [command[0], *WARNINGS, *command[1:]],
        cwd=folder,
        env={**env, "GATEWAY": gateway},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "Hello!\n"
    [shown] = [each.text for each in blocks(PAGE) if each.language == "text"]
    wanted = [re.sub(r"^[ └─]*", "", each) for each in shown.splitlines()[1:]]
    assert recorder.wait_for(drawn) == wanted


def test_its_test_passes_and_fails_without_splice(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    def outcome() -> str:
        return subprocess.run(
            command, cwd=folder, env=clean_environment(), capture_output=True, text=True
        ).stdout

    assert "1 passed" in outcome()
    app = folder / "app.py"
    app.write_text(re.sub(r"tracesplice\.splice\((OpenAI\(.*\))\)", r"\1", app.read_text()))
    assert "1 failed" in (said := outcome())
    assert "one trace: 2 traces" in said


def test_the_commands_are_the_ones_that_are_run() -> None:
    console = "".join(each.text for each in blocks(PAGE) if each.language == "console")
    assert f"$ {START}\n" in console
    assert f"$ {APP}\n" in console
