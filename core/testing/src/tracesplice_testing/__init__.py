"""Tests that calls through a gateway are one trace in Langfuse.

`Recorder` stands in for a Langfuse server, `ModelServer` for a model provider; `Gateway` is a real
LiteLLM proxy that reports in a `GatewayMode`. `tracesplice.testing` has the same names.
Nothing is imported before it is used, because pytest imports this package in each of its runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracesplice_testing._stand_in import GatewayStandIn
    from tracesplice_testing._unified import assert_unified
    from tracesplice_testing.contract import AdapterContract
    from tracesplice_testing.gateway import Gateway, GatewayMode
    from tracesplice_testing.model import ModelServer
    from tracesplice_testing.recorder import Recorder

__all__ = [
    "AdapterContract",
    "Gateway",
    "GatewayMode",
    "GatewayStandIn",
    "ModelServer",
    "Recorder",
    "assert_unified",
]

_MODULES = {
    "AdapterContract": "contract",
    "Gateway": "gateway",
    "GatewayMode": "gateway",
    "GatewayStandIn": "_stand_in",
    "ModelServer": "model",
    "Recorder": "recorder",
    "assert_unified": "_unified",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
