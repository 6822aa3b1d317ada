"""A real LiteLLM proxy for tests and demos, in each of its three ways to report to Langfuse."""

from tracesplice_testing.gateway._gateway import Gateway, GatewayStartError
from tracesplice_testing.gateway._http import Reply
from tracesplice_testing.gateway._modes import GatewayMode

__all__ = ["Gateway", "GatewayMode", "GatewayStartError", "Reply"]
