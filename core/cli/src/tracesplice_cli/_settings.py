"""What options and environment name: the gateway, and Langfuse as its SDK reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracesplice._gateway import BASE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEY_VARIABLE", "LANGFUSE_CLOUD", "Named", "Settings", "exports", "settings_from"]

KEY_VARIABLE = "LITELLM_PROXY_API_KEY"
"""LiteLLM's own variable for a proxy's key (https://docs.litellm.ai/docs/providers/litellm_proxy)."""

LANGFUSE_CLOUD = "https://cloud.langfuse.com"
"""Where Langfuse's SDK reports if nothing is said (langfuse/_client/client.py)."""


_KEYS = {
    "LANGFUSE_PUBLIC_KEY": "export LANGFUSE_PUBLIC_KEY=pk-lf-...",
    "LANGFUSE_SECRET_KEY": "export LANGFUSE_SECRET_KEY=sk-lf-...",
}


def exports(*names: str) -> list[str]:
    """The lines to type that set these variables, both of Langfuse's keys without names."""
    return [_KEYS[name] for name in names or _KEYS]


@dataclass(frozen=True)
class Named:
    """A value, and the option or variable that it is from; the first of them if it has none.

    `is_default` says that nothing names it.
    """

    source: str
    value: str = ""
    is_default: bool = False


@dataclass(frozen=True)
class Settings:
    """What is to be looked at."""

    gateway: Named
    gateway_key: Named
    langfuse: Named
    public_key: Named
    secret_key: Named


def settings_from(
    environment: Mapping[str, str], gateway: str | None = None, key_variable: str | None = None
) -> Settings:
    """Read the environment.

    Args:
        environment: As `os.environ`.
        gateway: The gateway's address, where an option names it.
        key_variable: The variable that has the gateway's key, where an option names it.
    """
    address = _first(environment, BASE_VARIABLE, "OPENAI_BASE_URL")
    # OpenAI's key is for OpenAI, unless OpenAI's clients are pointed at the gateway.
    theirs = ("OPENAI_API_KEY",) if not gateway and address.source == "OPENAI_BASE_URL" else ()
    langfuse = _first(environment, "LANGFUSE_BASE_URL", "LANGFUSE_HOST")
    return Settings(
        gateway=Named("--gateway", gateway) if gateway else address,
        gateway_key=_first(
            environment, *((key_variable,) if key_variable else (KEY_VARIABLE, *theirs))
        ),
        langfuse=(
            langfuse if langfuse.value else Named(langfuse.source, LANGFUSE_CLOUD, is_default=True)
        ),
        public_key=_first(environment, "LANGFUSE_PUBLIC_KEY"),
        secret_key=_first(environment, "LANGFUSE_SECRET_KEY"),
    )


def _first(environment: Mapping[str, str], *names: str) -> Named:
    named = (Named(name, environment[name]) for name in names if environment.get(name))
    return next(named, Named(names[0]))
