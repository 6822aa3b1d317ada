"""Hosts that are a model provider itself and so never a gateway."""

from __future__ import annotations

__all__ = ["provider_of"]

_PROVIDERS = {
    "openai.com": "OpenAI",
    "openai.azure.com": "Azure OpenAI",
    "cognitiveservices.azure.com": "Azure AI",
    "services.ai.azure.com": "Azure AI",
    "anthropic.com": "Anthropic",
    "googleapis.com": "Google",
    "mistral.ai": "Mistral",
    "cohere.ai": "Cohere",
    "cohere.com": "Cohere",
    "groq.com": "Groq",
    "together.ai": "Together AI",
    "together.xyz": "Together AI",
    "fireworks.ai": "Fireworks AI",
    "deepseek.com": "DeepSeek",
    "deepinfra.com": "DeepInfra",
    "openrouter.ai": "OpenRouter",
    "perplexity.ai": "Perplexity",
    "cerebras.ai": "Cerebras",
    "api.nvidia.com": "NVIDIA",
    "x.ai": "xAI",
}


def provider_of(host: str) -> str | None:
    """Return the name of the provider that owns ``host`` (lower case), or None.

    AWS is left out on purpose: gateways run behind its load balancers' host names.
    """
    labels = host.split(".")
    suffixes = (".".join(labels[start:]) for start in range(len(labels)))
    return next((_PROVIDERS[suffix] for suffix in suffixes if suffix in _PROVIDERS), None)
