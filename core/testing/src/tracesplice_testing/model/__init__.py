"""A model server for tests and demos: of Ollama, OpenAI and Anthropic, no model behind."""

from tracesplice_testing.model._record import ReceivedRequest
from tracesplice_testing.model._server import ModelServer

__all__ = ["ModelServer", "ReceivedRequest"]
