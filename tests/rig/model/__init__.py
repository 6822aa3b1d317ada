"""A model server for tests and demos: the Ollama and the OpenAI protocol, no model behind."""

from rig.model._record import ReceivedRequest
from rig.model._server import ModelServer

__all__ = ["ModelServer", "ReceivedRequest"]
