"""What every request to a server takes that the user names, with keys for that server alone."""

from __future__ import annotations

import base64
import urllib.request
from typing import Any

__all__ = ["basic", "opener"]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The keys are for this server alone; urllib would send them on."""

    def redirect_request(self, *_: Any) -> None:
        return None


def opener() -> urllib.request.OpenerDirector:
    """What opens a URL through the user's proxy settings, and follows no redirect."""
    return urllib.request.build_opener(_NoRedirects())


def basic(user: str, password: str) -> dict[str, str]:
    """The header of Langfuse's keys."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
