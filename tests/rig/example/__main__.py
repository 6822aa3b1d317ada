"""`python -m rig.example NAME`: run a program of `examples/` against the demo's servers.

Exit code 0 if it ran and Langfuse shows what it did, 1 if not, 2 on a problem.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rig.demo._progress import end_as_by_ctrl_c, new_console, step
from rig.demo._settings import DemoError, settings_from
from rig.redis_server import INSTALL, is_installed, redis_server
from tracesplice_testing.gateway import GatewayMode
from tracesplice_view import LangfuseReader, is_of_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from rig.demo._stage import Stage
    from tracesplice_view import Trace

SHOWN, FAILED, PROBLEM, INTERRUPTED = 0, 1, 2, 130
EXAMPLES = Path(__file__).parents[3] / "examples"
PATIENCE = 60.0  # seconds until Langfuse shows what was done
REDIS_URL = "REDIS_URL"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rig.example", description=__doc__)
    parser.add_argument("name", choices=sorted(path.stem for path in EXAMPLES.glob("*.py")))
    name = parser.parse_args(arguments).name
    console = new_console()
    try:
        with step(console, "Loading the SDKs"):
            from rig.demo._stage import set_up
        with (
            _broker(name, console) as broker,
            set_up(settings_from(os.environ), GatewayMode.LANGFUSE, console) as stage,
        ):
            return _show(stage, name, broker, console)
    except DemoError as error:
        console.print(f"✘ {error}", markup=False, soft_wrap=True)
        return PROBLEM
    except KeyboardInterrupt:
        return INTERRUPTED


@contextmanager
def _broker(name: str, console: Console) -> Iterator[dict[str, str]]:
    if not name.endswith("_celery") or REDIS_URL in os.environ:
        yield {}
        return
    if not is_installed():
        raise DemoError(f"Celery needs Redis. Type:\n  {INSTALL}\nor name one in {REDIS_URL}.")
    with step(console, "Starting Redis"):
        redis = redis_server()
        url = redis.__enter__()
    try:
        yield {REDIS_URL: url}
    finally:
        redis.__exit__(None, None, None)


def _show(stage: Stage, name: str, broker: dict[str, str], console: Console) -> int:
    from rig.demo._read_back import generation_traces

    earlier = set(generation_traces(stage))
    console.print(f"Running examples/{name}.py")
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    if name.endswith("_prompt"):
        command.append(stage.prompt.name)
    if subprocess.run(command, env=os.environ | _environment(stage) | broker).returncode:
        return FAILED
    with step(console, "Reading back what Langfuse shows"):
        traces = _settled(stage, earlier)
    for trace in traces:
        console.print(f"\n{trace.tree()}", markup=False, soft_wrap=True)
    return SHOWN if traces else FAILED


def _environment(stage: Stage) -> dict[str, str]:
    return {
        "LITELLM_PROXY_API_BASE": stage.gateway.url,
        "LITELLM_PROXY_API_KEY": stage.gateway.secret_key,
        "LANGFUSE_BASE_URL": stage.server.url,
        "LANGFUSE_PUBLIC_KEY": stage.server.public_key,
        "LANGFUSE_SECRET_KEY": stage.server.secret_key,
        "TRACESPLICE_MODEL": stage.model,
    }


def _settled(stage: Stage, earlier: set[str]) -> list[Trace]:
    """The new traces, as soon as they have calls of the gateway's and grow no more."""
    from rig.demo._read_back import generation_traces

    server = stage.server
    reader = LangfuseReader(server.url, server.public_key, server.secret_key)
    last: list[Trace] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ids = [each for each in generation_traces(stage) if each not in earlier]
        traces = [trace for trace in map(reader.trace, ids) if trace is not None]
        seen = [each for trace in traces for each in trace.observations]
        if traces == last and any(map(is_of_gateway, seen)):
            break
        last = traces
        time.sleep(1)
    return last


if __name__ == "__main__":
    end_as_by_ctrl_c()
    sys.exit(main())
