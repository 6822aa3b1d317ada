"""Takes the adapter out of a running gateway and puts it back: for `bench/gateway.py`.

A callback of LiteLLM's, put beside the configuration, so that it runs in the gateway's process.
"""

from __future__ import annotations

import signal
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

LISTS = [
    "callbacks",
    *(f"{each}_callback" for each in ("input", "success", "failure")),
    *(f"_async_{each}_callback" for each in ("input", "success", "failure")),
]

switch = CustomLogger()
_removed: list[list[Any]] = []


def out(*_: object) -> None:
    """Remove the adapter from every list of callbacks, and this callback with it."""
    from tracesplice_litellm import adapter

    for callbacks in (getattr(litellm, name) for name in LISTS):
        if adapter in callbacks:
            _removed.append(callbacks)
        callbacks[:] = [each for each in callbacks if each not in (adapter, switch)]


def back(*_: object) -> None:
    """Put the adapter where it was."""
    from tracesplice_litellm import adapter

    while _removed:
        _removed.pop().append(adapter)


signal.signal(signal.SIGUSR1, out)
signal.signal(signal.SIGUSR2, back)
