"""The gateway: configured, started, waited for, asked, stopped."""

import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracesplice_testing.gateway._config import build_config
from tracesplice_testing.gateway._http import Reply, request
from tracesplice_testing.gateway._modes import GatewayMode, environment
from tracesplice_testing.gateway._process import (
    ProxyProcess,
    clean_environment,
    find_venv,
    free_port,
)

__all__ = ["Gateway", "GatewayStartError"]

ADAPTER = "tracesplice_litellm.adapter"
_NOTHING: Mapping[str, Any] = {}


class GatewayStartError(RuntimeError):
    """The proxy did not start; the message ends with what it last said."""


class Gateway:
    """A LiteLLM proxy that reports in `mode` to `langfuse_env`, with `model_url` as its upstream.

    `adapter` switches on the gateway's part of tracesplice, with the one line a user writes.
    `files` are put beside the configuration: text by name. `venv` is the virtualenv that has
    LiteLLM, by default the one that `TRACESPLICE_GATEWAY_VENV` names.

    As a context manager it is ready when entered. To start several at once, `start()` each, then
    `wait_ready()` for each, and `stop()` each whatever happened.
    """

    def __init__(
        self,
        mode: GatewayMode,
        *,
        langfuse_env: Mapping[str, str],
        model_url: str,
        callbacks: Sequence[str] = (),
        extra_settings: Mapping[str, object] = _NOTHING,
        extra_env: Mapping[str, str] = _NOTHING,
        workers: int = 1,
        config_extra: Mapping[str, object] = _NOTHING,
        adapter: bool = False,
        files: Mapping[str, str] = _NOTHING,
        venv: str | os.PathLike[str] | None = None,
    ) -> None:
        self.mode = mode
        self.key = f"sk-{secrets.token_hex(24)}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._workers = workers
        self._venv = find_venv(venv)
        self._files = files
        callbacks = [*callbacks, ADAPTER] if adapter else callbacks
        self._config = build_config(
            mode, model_url, self.key, callbacks, extra_settings, config_extra
        )
        # A fault of the adapter's fails the call here, so that it is seen.
        strict = {"TRACESPLICE_STRICT": "1"} if adapter else {}
        self._env = clean_environment(environment(mode), langfuse_env, strict, extra_env)
        self._folder: Path | None = None
        self._process: ProxyProcess | None = None
        self._log = ""
        self._details: dict[str, Any] | None = None

    def start(self) -> None:
        """Start the process and return at once."""
        program = self._venv / "bin" / "litellm"
        if not program.exists():
            raise GatewayStartError(
                f"No LiteLLM proxy in {self._venv}. Type:\n"
                f"  {self._venv}/bin/pip install 'litellm[proxy]' 'langfuse>=4.7,<5' "
                "tracesplice-litellm\n"
                "or name another virtualenv in TRACESPLICE_GATEWAY_VENV."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="tracesplice-gateway-"))
        config = self._folder / "config.yaml"
        config.write_text(json.dumps(self._config, indent=1))
        for name, text in self._files.items():
            (self._folder / name).write_text(text)
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        command = [str(program), "--config", str(config), *address]
        if self._workers > 1:
            # A worker takes longer to import LiteLLM than uvicorn waits for it on a busy machine.
            command += ["--num_workers", str(self._workers), "--timeout_worker_healthcheck", "300"]
        self._process = ProxyProcess(command, self._env, self._folder / "log", self._folder)

    def wait_ready(self, timeout: float = 300.0) -> None:
        """Return when the proxy answers.

        Raises `GatewayStartError` if it ends, or after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process is None or self._process.exit_code is not None:
                raise GatewayStartError(f"the gateway ({self.mode.value}) ended\n{self._tail()}")
            if self._answers():
                return
            time.sleep(0.2)
        raise GatewayStartError(
            f"the gateway ({self.mode.value}) gave no answer in {timeout:.0f} s\n{self._tail()}"
        )

    def stop(self) -> None:
        """End the process and remove its files; its log stays readable. Twice is once."""
        if self._process is not None:
            self._process.stop()
        if self._folder is not None:
            self._log = self.log()
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process = self._folder = None

    @property
    def pid(self) -> int:
        """The process id; with one worker, that of the process that serves.

        Raises `RuntimeError` while the proxy does not run.
        """
        if self._process is None:
            raise RuntimeError("the gateway does not run")
        return self._process.pid

    def log(self) -> str:
        """What the proxy wrote so far."""
        if self._folder is None:
            return self._log
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def post(
        self,
        path: str,
        body: object,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> Reply:
        """POST to the gateway with its key: JSON, or bytes with their own Content-Type."""
        return request(self.url + path, self.key, body, headers, timeout)

    @property
    def version(self) -> str:
        """LiteLLM's version."""
        return str(self._readiness()["litellm_version"])

    @property
    def success_callbacks(self) -> list[str]:
        """The loggers in force, by class name."""
        return [str(name) for name in self._readiness()["success_callbacks"]]

    def __enter__(self) -> "Gateway":
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            return request(f"{self.url}/health/readiness", timeout=5.0).status == 200
        except OSError:
            return False

    def _readiness(self) -> dict[str, Any]:
        if self._details is None:
            details = request(f"{self.url}/health/readiness/details", self.key)
            if details.status == 404:  # an older LiteLLM, which says everything to everybody
                details = request(f"{self.url}/health/readiness")
            self._details = dict(details.json)
        return self._details

    def _tail(self) -> str:
        return "\n".join(self.log().splitlines()[-40:])
