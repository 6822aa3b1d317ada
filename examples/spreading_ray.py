"""Calls in Ray tasks: each is in the trace of the span that called the tasks.

Without a cluster (RAY_ADDRESS), Ray starts one on this machine, which takes some seconds.
"""

import logging
import os
import sys

import langfuse
import ray

import tracesplice
import tracesplice_ray

tracesplice_ray.install()  # before the first .remote(); the workers need no setup
tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())


class Asker:
    """Makes its clients once, in a worker process of its own: they cannot be sent to one."""

    def __init__(self) -> None:
        import langfuse.openai  # Langfuse's tracing of the OpenAI SDK
        import openai

        self.tracer = langfuse.Langfuse(mask_otel_spans=tracesplice.count_usage_once())
        self.client = tracesplice.splice(
            openai.OpenAI(
                base_url=os.environ["LITELLM_PROXY_API_BASE"],
                api_key=os.environ["LITELLM_PROXY_API_KEY"],
            )
        )

    def ask(self, question: str) -> str | None:
        """Make one call, inside a span of the task's own."""
        with self.tracer.start_as_current_observation(name="task", input=question):
            answer = self.client.chat.completions.create(
                model=os.environ.get("TRACESPLICE_MODEL", "chat"),
                messages=[{"role": "user", "content": question}],
            )
            return answer.choices[0].message.content


if __name__ == "__main__":
    print("Starting Ray ...", file=sys.stderr)
    ray.init(num_cpus=2, logging_level=logging.ERROR)
    with (
        tracer.start_as_current_observation(name="ray"),
        langfuse.propagate_attributes(user_id="ada", session_id="monday"),
    ):
        actor = ray.remote(Asker)
        askers = [actor.remote() for _ in range(2)]
        texts = ["Say one.", "Say two.", "Say three."]
        for answer in [askers[n % 2].ask.remote(text) for n, text in enumerate(texts)]:
            print(ray.get(answer), flush=True)
    tracer.flush()
    ray.shutdown()
