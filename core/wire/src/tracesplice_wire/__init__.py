"""The link of a call as it goes from an application to a LiteLLM gateway, for both ends."""

from __future__ import annotations

__all__: list[str] = []
