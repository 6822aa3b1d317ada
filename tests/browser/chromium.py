"""A headless Chromium, driven by https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from websockets.sync.client import ClientConnection, connect

from rig.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--remote-debugging-port=0",
)  # fmt: skip
_KEYS = {"Tab": 9, "Enter": 13}


class Page:
    """The one page of the browser, and what it said since it was opened."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := self._next()).get("id") != number:
            self._events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._socket.recv(timeout=PATIENCE))
        return answer

    def open(self, file: Path) -> None:
        self._events.clear()
        self.ask("Page.navigate", url=file.as_uri())
        while not self.events("Page.loadEventFired"):
            self._events.append(self._next())

    def events(self, *methods: str) -> list[dict[str, Any]]:
        return [each["params"] for each in self._events if each.get("method") in methods]

    def complaints(self) -> list[dict[str, Any]]:
        """Errors, warnings and whatever else reached the console."""
        return self.events("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")

    def value(self, expression: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        said = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **said, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **said)

    def width(self, pixels: int) -> None:
        size = {"width": pixels, "height": 740, "deviceScaleFactor": 1}
        self.ask("Emulation.setDeviceMetricsOverride", **size, mobile=pixels < 500)

    def scheme(self, name: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.ask("Emulation.setEmulatedMedia", features=features)


@contextmanager
def chromium(program: str, folder: Path) -> Iterator[Page]:
    """Start it with a profile in `folder`, and end it."""
    arguments = [program, *_SWITCHES, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(folder), max_size=None, proxy=None) as socket:
            page = Page(socket)
            yield page
            page.ask("Browser.close")
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def _address(folder: Path) -> str:
    port = folder / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        lines = port.read_text().splitlines() if port.exists() else []
        if len(lines) == 2:  # port and path; it is written late
            with opener.open(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                targets = json.load(answer)
            pages = [each for each in targets if each["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError(f"no page of Chromium in {PATIENCE:g} s")
