"""The whole process at once: for clients that a library makes inside itself."""

from __future__ import annotations

import os
import sys

import langfuse
import openai

import tracesplice


def main() -> None:
    """Ask through a client that is not spliced, traced by its enclosing span alone."""
    tracesplice.instrument()  # the gateway of LITELLM_PROXY_API_BASE
    tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
    client = openai.OpenAI(
        base_url=os.environ["LITELLM_PROXY_API_BASE"],
        api_key=os.environ["LITELLM_PROXY_API_KEY"],
    )
    with tracer.start_as_current_observation(name="instrument"):
        answer = client.chat.completions.create(
            model=os.environ.get("TRACESPLICE_MODEL", "chat"),
            messages=[{"role": "user", "content": "Say hello."}],
        )
    print(answer.choices[0].message.content)
    tracer.flush()
    tracesplice.uninstrument()


NEEDED = (
    "LITELLM_PROXY_API_BASE",
    "LITELLM_PROXY_API_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
)
if __name__ == "__main__":
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"Set {', '.join(missing)} first; examples/README.md says to what.")
    main()
