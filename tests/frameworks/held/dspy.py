"""DSPy calls LiteLLM: what is called between its methods is its own."""

from contextlib import suppress

import dspy

from frameworks.held import KEY, QUESTION, read


def chat(url):
    return dspy.LM("litellm_proxy/chat", api_base=url, api_key=KEY, cache=False)


def predict(lm):
    # The answer is not what it asks for.
    with dspy.context(lm=lm), suppress(Exception):
        dspy.Predict("question -> answer")(question=QUESTION)


def stream(lm):
    with dspy.context(lm=lm), suppress(Exception):
        program = dspy.streamify(dspy.Predict("question -> answer"), async_streaming=False)
        read(program(question=QUESTION))


HELD = {
    "LM": (
        chat,
        lambda lm: lm(QUESTION) and None,
        lambda lm: lm.acall(QUESTION),
        lambda lm: lm.copy(temperature=0.5)(QUESTION) and None,
        predict,
        stream,
    ),
    "LM by LiteLLM": (
        lambda url: dspy.LM(
            "openai/chat", engine="litellm", api_base=url, api_key=KEY, cache=False
        ),
        lambda lm: lm(QUESTION) and None,
    ),
    "LM by an engine of DSPy's": (
        lambda url: dspy.LM("openai/chat", api_base=url, api_key=KEY),
        'dspy.LM("litellm_proxy/chat", ...)',
    ),
    "Embedder": (
        lambda url: dspy.Embedder("litellm_proxy/embed", api_base=url, api_key=KEY, caching=False),
        lambda embedder: embedder([QUESTION]) is None,
        lambda embedder: embedder.acall([QUESTION]),
    ),
}
