"""Servers and workers for work that is spread; each is ended by who started it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rig.patience import PATIENCE
from rig.redis_server import INSTALL, is_installed, redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["TESTS", "kill_one_of", "redis", "until", "worker"]

TESTS = Path(__file__).parents[1]


def until(
    found: Callable[[], Any], what: str, seconds: float = PATIENCE, shown: Callable[[], str] = str
) -> Any:
    """Return what is found, as soon as it is something; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {seconds:.0f} s\n{shown()}")


def kill_one_of(processes: Iterable[int]) -> None:
    """End one of some processes, not all of which need be there, as a machine that fails would."""
    known = [*processes]
    random.shuffle(known)
    for process in known:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            return
    pytest.fail(f"none of the processes {known} is there")


@contextmanager
def redis() -> Iterator[str]:
    """Run Debian's redis-server; the value is its URL."""
    if not is_installed():
        pytest.skip(f"needs redis-server: {INSTALL}")
    with redis_server() as url:
        yield url


@contextmanager
def worker(env: Mapping[str, str], log: Path, *options: str) -> Iterator[Any]:
    """Run a Celery worker; the value is the process, and ``log`` what it writes."""
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", *options]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "-l", "INFO", "--without-gossip", "--without-mingle"],
            cwd=TESTS,
            env=dict(env),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            until(lambda: " ready." in log.read_text(), "the worker is ready")
            yield process
        finally:
            process.terminate()  # a warm shutdown: tasks at work are finished
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
