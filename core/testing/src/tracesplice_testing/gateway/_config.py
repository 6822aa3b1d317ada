"""The proxy's configuration: one model for each kind of call, each with a price.

https://docs.litellm.ai/docs/proxy/configs
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tracesplice_testing.gateway._modes import GatewayMode, litellm_settings

__all__ = ["COSTS", "build_config"]

Json = dict[str, Any]

COSTS: Mapping[str, float] = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
"""Cost of one token of any model, in dollars."""

_OLLAMA = {
    "chat": "ollama_chat/llama3.2",
    "tools": "ollama_chat/llama3.2",
    "completion": "ollama/llama3.2",
    "embed": "ollama/nomic-embed-text",
    # Each message fails once, then succeeds; always fails; answers late.
    "flaky": "ollama_chat/llama3.2[[fail-once:503]]",
    "broken": "ollama_chat/llama3.2[[fail:500]]",
    "slow": "ollama_chat/llama3.2[[delay:1]]",
}
_OPENAI = {
    "openai-chat": ("gpt-4o-mini", "chat"),
    # Clients that know how long OpenAI's contexts are call its models by their names.
    "gpt-4o-mini": ("gpt-4o-mini", "chat"),
    "text-embedding-3-small": ("text-embedding-3-small", "embedding"),
    "openai-completion": ("gpt-3.5-turbo-instruct", "completion"),
    "openai-embed": ("text-embedding-3-small", "embedding"),
    "image": ("gpt-image-1", "image_generation"),
    "speech": ("tts-1", "audio_speech"),
    "transcribe": ("whisper-1", "audio_transcription"),
    "moderate": ("omni-moderation-latest", "moderation"),
    "video": ("sora-2", "video_generation"),
}


def build_config(
    mode: GatewayMode,
    model_url: str,
    key: str,
    callbacks: Sequence[str],
    extra_settings: Mapping[str, object],
    config_extra: Mapping[str, object],
) -> Json:
    """The whole configuration.

    `extra_settings` goes over `litellm_settings`; `config_extra` over the whole, one level deep:
    its lists add to ours (more models), its mappings update ours, anything else replaces.
    """
    config: Json = {
        "model_list": _models(model_url),
        "litellm_settings": litellm_settings(mode, callbacks) | dict(extra_settings),
        # A deployment that cools down after a fault would fail the next test's call.
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": key, "pass_through_endpoints": [_direct(model_url)]},
    }
    for name, value in config_extra.items():
        ours = config.get(name)
        if isinstance(ours, dict) and isinstance(value, Mapping):
            config[name] = ours | dict(value)
        elif isinstance(ours, list) and isinstance(value, Sequence):
            config[name] = ours + list(value)
        else:
            config[name] = value
    return config


def _models(model_url: str) -> list[Json]:
    ollama = [_model(name, route, api_base=model_url) for name, route in _OLLAMA.items()]
    openai = [
        _model(name, f"openai/{model}", kind, api_base=f"{model_url}/v1", api_key="sk-upstream")
        for name, (model, kind) in _OPENAI.items()
    ]
    rerank = _model("rerank", "hosted_vllm/reranker", "rerank", api_base=model_url)
    # https://docs.litellm.ai/docs/providers/anthropic
    claude = "anthropic/claude-3-5-sonnet-20240620"
    anthropic = _model("claude", claude, api_base=model_url, api_key="sk-upstream")
    mock = _model("mock", "openai/mock", mock_response="mock: hello", api_key="sk-upstream")
    # Any other name: https://docs.litellm.ai/docs/wildcard_routing
    other = _model("*", "openai/*", api_base=f"{model_url}/v1", api_key="sk-upstream")
    return [*ollama, *openai, anthropic, rerank, mock, other]


def _direct(model_url: str) -> Json:
    # https://docs.litellm.ai/docs/proxy/pass_through
    upstream = {"target": f"{model_url}/v1", "headers": {"Authorization": "Bearer sk-upstream"}}
    return {"path": "/direct", "include_subpath": True, **upstream}


def _model(name: str, route: str, kind: str | None = None, **params: str) -> Json:
    # LiteLLM's OpenAI route has retries of its own, below the router's.
    litellm_params = {"model": route, "max_retries": 0, **params, **COSTS}
    info: Json = {**COSTS, **({"mode": kind} if kind else {})}
    return {"model_name": name, "litellm_params": litellm_params, "model_info": info}
