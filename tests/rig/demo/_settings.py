"""What the environment asks for: stand-ins, or the real thing in place of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DemoError", "Server", "Settings", "settings_from"]

LANGFUSE_URLS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
LANGFUSE_KEYS = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")
GATEWAY_URL, GATEWAY_KEY = "LITELLM_PROXY_API_BASE", "LITELLM_PROXY_API_KEY"
OLLAMA_URL = "OLLAMA_BASE_URL"
MODEL = "TRACESPLICE_DEMO_MODEL"
_EXAMPLES = {
    "LANGFUSE_BASE_URL": "https://cloud.langfuse.com",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-...",
    "LANGFUSE_SECRET_KEY": "sk-lf-...",
    GATEWAY_URL: "http://localhost:4000",
    GATEWAY_KEY: "sk-...",
}


class DemoError(Exception):
    """The demo cannot run as asked; the message says what to type."""


@dataclass(frozen=True)
class Server:
    """A real server: its address, without a slash at its end, and the keys it takes."""

    url: str
    public_key: str = ""
    secret_key: str = ""


@dataclass(frozen=True)
class Settings:
    """What is real; None where the demo's own stand-in serves."""

    langfuse: Server | None = None
    gateway: Server | None = None
    ollama: str | None = None
    model: str | None = None


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the environment.

    Raises:
        DemoError: Something is half set, or cannot work together.
    """
    env = {name: value.strip() for name, value in environment.items() if value.strip()}
    langfuse, gateway = _langfuse(env), _gateway(env)
    if gateway is not None and langfuse is None:
        raise DemoError(_unseen(gateway.url))
    ollama = _url(env[OLLAMA_URL], OLLAMA_URL) if OLLAMA_URL in env else None
    return Settings(langfuse, gateway, ollama, env.get(MODEL))


def exports(*names: str) -> str:
    """The lines to type that set these variables."""
    return "\n".join(f"  export {name}={_EXAMPLES[name]}" for name in names)


def _langfuse(env: Mapping[str, str]) -> Server | None:
    url = next((name for name in LANGFUSE_URLS if name in env), None)
    found = [name for name in (*LANGFUSE_URLS, *LANGFUSE_KEYS) if name in env]
    if not found:
        return None
    missing = [name for name in LANGFUSE_KEYS if name not in env]
    if url is None:
        missing.insert(0, LANGFUSE_URLS[0])
    if url is None or missing:
        raise DemoError(_half_set("Langfuse", found, missing))
    return Server(_url(env[url], url), env[LANGFUSE_KEYS[0]], env[LANGFUSE_KEYS[1]])


def _gateway(env: Mapping[str, str]) -> Server | None:
    found = [name for name in (GATEWAY_URL, GATEWAY_KEY) if name in env]
    missing = [name for name in (GATEWAY_URL, GATEWAY_KEY) if name not in env]
    if not found:
        return None
    if missing:
        raise DemoError(_half_set("gateway", found, missing))
    return Server(_url(env[GATEWAY_URL], GATEWAY_URL), secret_key=env[GATEWAY_KEY])


def _url(value: str, name: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise DemoError(
            f"{name} is {value!r}, which is no address. Type:\n  export {name}=http://…"
        )
    return value.rstrip("/").removesuffix("/v1").rstrip("/")


def _half_set(what: str, found: list[str], missing: list[str]) -> str:
    return (
        f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} set, so the demo is to use "
        f"your {what}, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not. "
        f"Type:\n{exports(*missing)}\nor, for the demo's own stand-in:\n  unset {' '.join(found)}"
    )


def _unseen(gateway: str) -> str:
    return (
        f"Your gateway at {gateway} reports to the Langfuse in its own settings, and the demo's "
        "stand-in cannot see that one. Name the project the gateway reports to. Type:\n"
        f"{exports(LANGFUSE_URLS[0], *LANGFUSE_KEYS)}\n"
        f"or, for a gateway that the demo starts:\n  unset {GATEWAY_URL} {GATEWAY_KEY}"
    )
