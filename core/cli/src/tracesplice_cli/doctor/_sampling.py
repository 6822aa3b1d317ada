"""Whether the gateway leaves out calls of traces that the application keeps, and keeps others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from tracesplice_cli.doctor._finding import Finding, ok, unknown

if TYPE_CHECKING:
    from tracesplice_cli.doctor._callbacks import Callbacks

__all__ = ["ITS_SAMPLERS", "sampling_finding"]

ITS_SAMPLERS = "env | grep -e SAMPLE_RATE -e SAMPLER  # in the gateway's environment"

# Of mode `langfuse`; before it LiteLLM has no tracer there.
_FOLLOWS_FROM = Version("1.104")


def sampling_finding(callbacks: Callbacks, version: str | None) -> Finding:
    """Judge whose sampling a gateway follows.

    Args:
        callbacks: How it reports.
        version: LiteLLM's; None where it does not tell.
    """
    check, what = "gateway.sampling", "Whether it samples on its own is not known."
    if not callbacks.adapter:
        why = "A rate of its own takes generations out of your traces."
        return unknown(check, what, why, ITS_SAMPLERS)
    if callbacks.modes != ("langfuse",):
        why = "It follows the application's sampling, unless OTEL_TRACES_SAMPLER is set for it."
        return unknown(check, what, why, ITS_SAMPLERS)
    if _is_older(version):
        why = "LiteLLM before 1.104 reports calls of traces that the application leaves out, too."
        return unknown(check, what, why, ITS_SAMPLERS)
    return ok(check, "Its sampling follows the application's.")


def _is_older(version: str | None) -> bool:
    try:
        return version is None or Version(version) < _FOLLOWS_FROM
    except InvalidVersion:
        return True
