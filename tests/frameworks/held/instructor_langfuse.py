"""instructor: its clients hold the one they were made from."""

import instructor
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from frameworks.held import KEY, MESSAGES


class City(BaseModel):
    name: str


def ask(client):
    return client.create(model="chat", messages=MESSAGES, response_model=City)


HELD = {
    "Instructor": (lambda url: instructor.from_openai(OpenAI(base_url=url, api_key=KEY)), ask),
    "AsyncInstructor": (
        lambda url: instructor.from_openai(AsyncOpenAI(base_url=url, api_key=KEY)),
        ask,
    ),
    "from_provider": (
        lambda url: instructor.from_provider("openai/chat", base_url=url, api_key=KEY),
        ask,
    ),
}
