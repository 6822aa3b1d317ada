"""The OpenAI SDK, as what splices its clients: those for Azure are of its own classes, too."""

from __future__ import annotations

from typing import Any

import openai

from tracesplice.adapter import ClientSdk

__all__ = ["sdk"]


class _OpenAI(ClientSdk):
    def address(self, client: Any) -> object:
        # An Azure client's base URL may be that of one deployment.
        return getattr(client, "_azure_endpoint", None) or super().address(client)


sdk = _OpenAI(
    __name__,
    clients=(openai.OpenAI, openai.AsyncOpenAI),
    omit=openai.Omit,
    variants=(openai.AzureOpenAI, openai.AsyncAzureOpenAI),
)
"""Splices clients of the OpenAI SDK, and reaches all of them."""
