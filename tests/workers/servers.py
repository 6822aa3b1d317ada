"""Servers and workers for work that is spread; each is ended by who started it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["TESTS", "redis", "until", "worker"]

TESTS = Path(__file__).parents[1]


def until(
    found: Callable[[], Any], what: str, seconds: float = 60, shown: Callable[[], str] = str
) -> Any:
    """Return what is found, as soon as it is something; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {seconds:.0f} s\n{shown()}")


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Debian's redis-server; the value is its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server: apt-get install redis-server")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen(
        [program, "--port", str(port), *options], stdout=subprocess.DEVNULL, cwd=folder
    )
    try:
        until(lambda: _answers(port), "redis-server answers", 20)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return True
    except OSError:
        return False


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
