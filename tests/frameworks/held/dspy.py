"""DSPy calls LiteLLM."""

import dspy

from frameworks.held import KEY

HELD = {
    "LM": (lambda url: dspy.LM("litellm_proxy/chat", api_base=url, api_key=KEY),),
    "Embedder": (lambda url: dspy.Embedder("litellm_proxy/embed", api_base=url, api_key=KEY),),
}
