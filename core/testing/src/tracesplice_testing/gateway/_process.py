"""The proxy's process: started in a group of its own, and ended with exactly that group."""

import atexit
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["ProxyProcess", "clean_environment", "find_venv", "free_port"]

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
_GRACE = 15.0
# Reads until the interpreter that started it has ended, however that was.
_WATCH = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"
_taken: set[int] = set()


def find_venv(named: str | os.PathLike[str] | None = None) -> Path:
    """The virtualenv that is named, else in `TRACESPLICE_GATEWAY_VENV`, else `.venv-gateway`."""
    return Path(named or os.environ.get("TRACESPLICE_GATEWAY_VENV") or ".venv-gateway").absolute()


def clean_environment(*layers: Mapping[str, str]) -> dict[str, str]:
    """What any program needs of our environment, none of the user's settings, and `layers`."""
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    for layer in layers:
        env |= layer
    return env


def free_port() -> int:
    """A free loopback port that no outgoing connection takes while the proxy starts.

    It lies below the range that Linux and macOS take outgoing ports from (32768 and up), and is
    not given twice to this process.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _taken:
                _taken.add(port)
                return port


class ProxyProcess:
    """One subprocess and its log. Ends when told to, and with this interpreter, even if killed."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path
    ) -> None:
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # `atexit` does nothing where SIGTERM or SIGKILL ends us.
        self._watcher = subprocess.Popen(
            [sys.executable, "-IS", "-c", _WATCH, str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the whole group: asked first, so that it reports what it holds, then made to."""
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
        # Workers outlive a leader that died; a group without members is no error.
        self._signal(signal.SIGKILL)
        self._process.wait()
        with self._watcher:
            self._watcher.kill()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
