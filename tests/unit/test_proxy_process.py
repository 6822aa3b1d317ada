"""A proxy does not outlive the program that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rig.patience import PATIENCE
from tracesplice_testing.gateway._process import ProxyProcess

PROGRAM = """
import sys, time
from pathlib import Path
from tracesplice_testing.gateway._process import ProxyProcess

process = ProxyProcess(["sleep", "600"], {"PATH": "/bin:/usr/bin"}, Path("log"), Path("."))
print(process.pid, flush=True)
time.sleep(600)
"""


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Nobody may be there to reap it, as in a container.
    return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_what_started_it(how: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        pid = int(started.stdout.readline())
        assert not has_ended(pid)
        started.send_signal(how)
    deadline = time.monotonic() + PATIENCE
    while not has_ended(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_stopped_twice_is_stopped_once(tmp_path: Path) -> None:
    process = ProxyProcess(["sleep", "600"], dict(os.environ), tmp_path / "log", tmp_path)
    process.stop()
    process.stop()
    assert process.exit_code == -signal.SIGTERM
