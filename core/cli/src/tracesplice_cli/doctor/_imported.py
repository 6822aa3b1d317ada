"""Imports a module of the application's and says what it set up: JSON on stdout.

A program of its own, because the module may do anything where it is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from tracesplice_cli.doctor._integrations import OTHERS

__all__: list[str] = []


def _main(target: str) -> None:
    # What the module prints is not ours.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    step = "import"
    try:
        found: Any = importlib.import_module(target.partition(":")[0])
        step = "run"
        _run(found, target.partition(":")[2])
        step = "look"
        found = _state()
    except BaseException as error:  # noqa: BLE001  (whatever the user's module raises)
        found = {"error": f"{type(error).__name__}: {error}", "step": step}
    answer.write(json.dumps(found))
    answer.close()
    # Threads and exit handlers of the module do not matter any more.
    os._exit(0)


def _run(found: Any, attribute: str) -> None:
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    if attribute and callable(found):
        found()


def _state() -> dict[str, Any]:
    from langfuse._client.resource_manager import LangfuseResourceManager

    from tracesplice._calls import calls

    modules = ("langfuse.openai", *OTHERS)
    return {
        "clients": [_client(each) for each in LangfuseResourceManager._instances.values()],
        "counted": calls.is_used,
        "modules": [name for name in modules if name in sys.modules],
    }


def _client(manager: Any) -> dict[str, Any]:
    sampler = getattr(manager.tracer_provider, "sampler", None)
    description = sampler.get_description() if sampler is not None else "Langfuse's own"
    return {
        "public_key": manager.public_key,
        "base_url": manager.base_url,
        "mask": _mask(manager.mask_otel_spans),
        "tracing_enabled": manager.tracing_enabled,
        "sampler": description,
        "sampled": 0 if _samples_nothing(description) else 1,
    }


def _mask(mask: Any) -> str:
    import tracesplice

    if mask is None:
        return "none"
    if mask is tracesplice.count_usage_once:
        return "uncalled"
    if getattr(mask, "__module__", "") != "tracesplice._usage":
        return "other"
    return "ours" if mask.owner == "gateway" else "client"


def _samples_nothing(description: str) -> bool:
    # https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
    root = description.removeprefix("ParentBased{root:")
    return root.startswith(("AlwaysOffSampler", "TraceIdRatioBased{0.0}"))


if __name__ == "__main__":
    _main(sys.argv[1])
