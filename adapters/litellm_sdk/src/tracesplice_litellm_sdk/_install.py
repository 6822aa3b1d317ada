"""Wraps what LiteLLM sends requests with, now or once it is imported; imports nothing of it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tracesplice.adapter import unwrap_methods, when_imported, wrap_methods
from tracesplice_litellm_sdk._callbacks import await_callbacks
from tracesplice_litellm_sdk._post import apost, post
from tracesplice_litellm_sdk._threads import submit

__all__ = ["install", "uninstall"]

_installed = False


def install() -> None:
    """Wrap them; a second time changes nothing."""
    global _installed
    _installed = True
    when_imported("litellm.llms.custom_httpx.http_handler", _wrap_handlers)
    when_imported("litellm", _wrap_pools)
    if "litellm" in sys.modules:  # and was before they were taken off
        _wrap_pools(sys.modules["litellm"])
    await_callbacks()


def uninstall() -> None:
    """Take the wrapper off that is not in LiteLLM; the others do nothing without a gateway."""
    global _installed
    _installed = False
    unwrap_methods(ThreadPoolExecutor, ["submit"])


def _wrap_handlers(module: Any) -> None:
    wrap_methods(module.HTTPHandler, {"post": post})
    wrap_methods(module.AsyncHTTPHandler, {"post": apost})


def _wrap_pools(_litellm: object) -> None:
    # Not without LiteLLM: each task that an application submits goes through it.
    if _installed:
        wrap_methods(ThreadPoolExecutor, {"submit": submit})
