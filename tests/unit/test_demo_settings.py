"""What `make demo` reads from the environment, and what it says of one that will not do."""

from __future__ import annotations

import pytest

from rig.demo._settings import DemoError, Server, Settings, settings_from

LANGFUSE = {
    "LANGFUSE_BASE_URL": "http://langfuse:3000/",
    "LANGFUSE_PUBLIC_KEY": "pk",
    "LANGFUSE_SECRET_KEY": "sk",
}
GATEWAY = {
    "LITELLM_PROXY_API_BASE": "http://gateway:4000/v1/",
    "LITELLM_PROXY_API_KEY": "sk-gateway",
}


def test_an_empty_environment_asks_for_stand_ins() -> None:
    assert settings_from({"LANGFUSE_HOST": " ", "PATH": "/bin"}) == Settings()


def test_addresses_lose_slash_and_v1() -> None:
    settings = settings_from({**LANGFUSE, **GATEWAY, "OLLAMA_BASE_URL": "http://ollama:11434/v1"})
    assert settings.langfuse == Server("http://langfuse:3000", "pk", "sk")
    assert settings.gateway == Server("http://gateway:4000", secret_key="sk-gateway")
    assert settings.ollama == "http://ollama:11434"


def test_langfuse_host_will_do_and_base_url_goes_first() -> None:
    host = {**LANGFUSE, "LANGFUSE_HOST": "http://host"}
    assert settings_from(host).langfuse == Server("http://langfuse:3000", "pk", "sk")
    del host["LANGFUSE_BASE_URL"]
    assert settings_from(host).langfuse == Server("http://host", "pk", "sk")


@pytest.mark.parametrize("missing", [*LANGFUSE, *GATEWAY])
def test_half_an_environment_says_what_to_type(missing: str) -> None:
    whole = LANGFUSE if missing in LANGFUSE else GATEWAY
    env = {**LANGFUSE, **whole}
    del env[missing]
    with pytest.raises(DemoError, match=f"export {missing}=") as raised:
        settings_from(env)
    kept = next(name for name in whole if name != missing)
    assert f"unset {kept}" in str(raised.value)


def test_a_real_gateway_needs_the_langfuse_it_reports_to() -> None:
    with pytest.raises(DemoError, match="export LANGFUSE_BASE_URL=") as raised:
        settings_from(GATEWAY)
    assert "unset LITELLM_PROXY_API_BASE" in str(raised.value)


def test_something_that_is_no_address_is_named() -> None:
    with pytest.raises(DemoError, match="export OLLAMA_BASE_URL=http://"):
        settings_from({"OLLAMA_BASE_URL": "localhost:11434"})
