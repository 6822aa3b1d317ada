"""The models the server knows, and its prices for them.

Langfuse's own list:
https://github.com/langfuse/langfuse/blob/main/worker/src/constants/default-model-prices.json
"""

from __future__ import annotations

from collections.abc import Mapping

Prices = Mapping[str, float]
"""USD for one unit of each kind of usage."""

# Ten times what OpenAI asks: neither LiteLLM nor a test's gateway says the same, so that a figure
# tells who counted.
PRICES: Mapping[str, Prices] = {
    "gpt-4o": {"input": 25e-6, "input_cached_tokens": 12.5e-6, "output": 100e-6},
    "gpt-4o-mini": {"input": 1.5e-6, "input_cached_tokens": 0.75e-6, "output": 6e-6},
    "gpt-3.5-turbo": {"input": 5e-6, "output": 15e-6},
    "gpt-3.5-turbo-instruct": {"input": 15e-6, "output": 20e-6},
    "text-embedding-3-small": {"total": 0.2e-6},
    "text-embedding-ada-002": {"total": 1e-6},
}


def price_for(
    model: str | None, table: Mapping[str, Prices], others: Prices | None
) -> Prices | None:
    """The prices of a model, OpenAI's prefix and the case aside; None for one it does not know."""
    return table.get(model.lower().removeprefix("openai/"), others) if model else None
