"""A real LiteLLM proxy for tests and demos, in each of its three ways to report to Langfuse."""

from rig.gateway._gateway import Gateway, GatewayStartError
from rig.gateway._http import Reply
from rig.gateway._modes import GatewayMode

__all__ = ["Gateway", "GatewayMode", "GatewayStartError", "Reply"]
