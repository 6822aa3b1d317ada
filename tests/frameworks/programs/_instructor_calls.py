"""The calls of the instructor programs, which differ in their tracing alone."""

from pydantic import BaseModel


class Answer(BaseModel):
    """What is asked for."""

    city: str


def calls(client, async_client):
    """Return functions that ask with these clients."""

    def said(question):
        messages = [{"role": "user", "content": question}]
        return {"model": "openai-chat", "response_model": Answer, "messages": messages}

    def chat(question):
        return client.chat.completions.create(**said(question))

    async def async_chat(question):
        return await async_client.chat.completions.create(**said(question))

    def stream(question):
        return [*client.chat.completions.create_partial(**said(question))][-1]

    return [chat, async_chat, stream]
