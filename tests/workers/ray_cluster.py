"""A Ray cluster of several worker processes on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tracesplice_testing.gateway._process import free_port
from workers.servers import TESTS, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["WORKERS", "cluster"]

WORKERS = 4
COMMAND = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]


@contextmanager
def cluster(env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run Ray's servers; the value is the environment of drivers, which workers have, too."""
    port = free_port()
    # A new token: Ray listens on more than the loopback, and writes its own into the home folder.
    env = {
        **env,
        "PYTHONPATH": str(TESTS),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    options = ["--port", str(port), "--num-cpus", str(WORKERS), "--include-dashboard=false"]
    options += ["--node-ip-address", "127.0.0.1", "--object-store-memory", str(80 * 2**20)]
    # Short, because of the sockets in it: their paths may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    log = folder / "start.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, *options, "--temp-dir", str(folder)],
            cwd=TESTS,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: "Ray runtime started" in log.read_text(), "Ray starts", 60, log.read_text)
        yield {**env, "RAY_ADDRESS": f"127.0.0.1:{port}"}
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # all that it started; it would drain for long
        process.wait()
        shutil.rmtree(folder)
