"""Whether the real servers are there and take the keys; the errors say what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rig.demo._settings import (
    GATEWAY_KEY,
    GATEWAY_URL,
    LANGFUSE_KEYS,
    LANGFUSE_URLS,
    MODEL,
    OLLAMA_URL,
    DemoError,
    exports,
)
from tracesplice_cli._http import Unreachable, ask, bearer
from tracesplice_view import basic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rig.demo._settings import Server

__all__ = ["check_gateway", "check_langfuse", "check_ollama"]

DEFAULT_OLLAMA_MODEL = "llama3.2"
# LiteLLM without a database answers an unknown key with 400.
_KEY_REFUSED = (400, 401, 403)


def check_langfuse(server: Server) -> None:
    """Raise `DemoError` unless Langfuse answers and takes the keys."""
    instead = f"unset {' '.join((*LANGFUSE_URLS, *LANGFUSE_KEYS))}"
    url, headers = f"{server.url}/api/public/projects", basic(server.public_key, server.secret_key)
    _get("Langfuse", server.url, url, headers, LANGFUSE_URLS[0], LANGFUSE_KEYS, instead)


def check_gateway(server: Server, model: str | None) -> str:
    """The model to call: the one asked for, or the only one there is.

    Raises `DemoError` unless the gateway answers, takes the key and has such a model.
    """
    instead = f"unset {GATEWAY_URL} {GATEWAY_KEY}"
    url, headers = f"{server.url}/v1/models", bearer(server.secret_key)
    answer = _get("gateway", server.url, url, headers, GATEWAY_URL, (GATEWAY_KEY,), instead)
    names = sorted(str(entry["id"]) for entry in answer["data"])
    if model is not None and (model in names or any("*" in name for name in names)):
        return model
    if model is None and len(names) == 1:
        return names[0]
    asked = "which model?" if model is None else f"there is no model {model!r}."
    raise DemoError(f"The gateway at {server.url}: {asked} Type one of:\n{_models(names)}")


def check_ollama(url: str, model: str | None) -> str:
    """The model to call; raise `DemoError` unless Ollama answers and has it."""
    answer = _get("Ollama", url, f"{url}/api/tags", {}, OLLAMA_URL, (), f"unset {OLLAMA_URL}")
    names = sorted(str(entry["name"]) for entry in answer["models"])
    wanted = model or DEFAULT_OLLAMA_MODEL
    if wanted in names or f"{wanted}:latest" in names:
        return wanted
    others = f"\nor one of:\n{_models(names)}" if names else ""
    raise DemoError(f"Ollama at {url} has no {wanted}. Type:\n  ollama pull {wanted}{others}")


def _get(
    what: str,
    server: str,
    url: str,
    headers: Mapping[str, str],
    url_name: str,
    key_names: tuple[str, ...],
    instead: str,
) -> Any:
    typed = f"  export {url_name}=http://…"
    try:
        answer = ask(url, headers)
    except Unreachable as error:
        problem = f"No {what} answers at {server} ({error}). Start it, or type its address:"
    else:
        said = f"HTTP {answer.status}"
        if answer.status == 200 and answer.json is not None:
            return answer.json
        if answer.status in _KEY_REFUSED and key_names:
            problem = f"The {what} at {server} refuses the key ({said}). Type, with its own:"
            typed = exports(*key_names)
        else:
            problem = f"{server} is no {what} ({said} at {url}). Type its address:"
    problem = problem.replace("The Langfuse", "Langfuse")
    raise DemoError(f"{problem}\n{typed}\nor, for the demo's own stand-in:\n  {instead}")


def _models(names: list[str]) -> str:
    return "\n".join(f"  export {MODEL}={name}" for name in names[:10])
