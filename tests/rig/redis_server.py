"""A Redis of one's own, for what spreads work by Celery."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rig.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INSTALL", "is_installed", "redis_server"]

INSTALL = "apt-get install redis-server"
"""What to type where it is missing."""

_NOTHING_STORED = ("--save", "", "--appendonly", "no")


def is_installed() -> bool:
    """Return whether there is a redis-server."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis_server() -> Iterator[str]:
    """Run redis-server on a free port of the loopback; the value is its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    address = ("--bind", "127.0.0.1", "--port", str(port))
    with TemporaryDirectory() as folder:
        process = subprocess.Popen(
            ["redis-server", *address, *_NOTHING_STORED], cwd=folder, stdout=subprocess.DEVNULL
        )
        try:
            _wait(process, port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"redis-server does not answer at port {port}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
