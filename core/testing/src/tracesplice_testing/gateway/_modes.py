"""The three ways LiteLLM reports to Langfuse, and what each needs.

https://docs.litellm.ai/docs/observability/langfuse_integration and
https://docs.litellm.ai/docs/observability/langfuse_otel_integration
"""

from collections.abc import Mapping, Sequence
from enum import Enum

__all__ = ["GatewayMode", "environment", "litellm_settings"]

_SETTINGS: Mapping[str, object] = {
    "num_retries": 0,
    "request_timeout": 60,
    "drop_params": True,
    "langfuse_enable_update_trace_keys": True,
}


class GatewayMode(str, Enum):
    """How the gateway reports: LiteLLM's callback, and for v2 a switch beside it."""

    LANGFUSE = "langfuse"
    LANGFUSE_OTEL = "langfuse_otel"
    LANGFUSE_OTEL_V2 = "langfuse_otel_v2"


def litellm_settings(mode: GatewayMode, callbacks: Sequence[str]) -> dict[str, object]:
    """The `litellm_settings` of a mode, with further `callbacks`."""
    settings = dict(_SETTINGS)
    if mode is GatewayMode.LANGFUSE:
        # Without the second, this mode reports no failed call.
        settings |= {"success_callback": ["langfuse"], "failure_callback": ["langfuse"]}
        return settings | {"callbacks": list(callbacks)}
    return settings | {"callbacks": ["langfuse_otel", *callbacks]}


def environment(mode: GatewayMode) -> dict[str, str]:
    """The environment variables of a mode: quiet, offline, and quick to report.

    `LANGFUSE_FLUSH_AT` and `LANGFUSE_FLUSH_INTERVAL` (whole seconds) are read by LiteLLM's
    `langfuse` logger (litellm/integrations/langfuse/langfuse_sdk.py), `OTEL_BSP_SCHEDULE_DELAY`
    (milliseconds) by OpenTelemetry's batch processor, which the other two use
    (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
    """
    variables = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LANGFUSE_FLUSH_AT": "1",
        "LANGFUSE_FLUSH_INTERVAL": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if mode is GatewayMode.LANGFUSE_OTEL_V2:
        variables["LITELLM_OTEL_V2"] = "true"
    return variables
