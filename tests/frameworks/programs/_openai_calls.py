"""The calls of the OpenAI programs, which differ in their tracing alone."""

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Say the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def calls(client, async_client):  # noqa: C901 - a list of calls
    """Return functions that ask with these clients."""

    def said(question):
        return {"model": "openai-chat", "messages": [{"role": "user", "content": question}]}

    def chat(question):
        return client.chat.completions.create(**said(question)).choices[0].message.content

    def stream(question):
        parts = client.chat.completions.create(**said(question), stream=True)
        return "".join(part.choices[0].delta.content or "" for part in parts if part.choices)

    def tool(question):
        answer = client.chat.completions.create(**said(question), tools=TOOLS).choices[0].message
        return answer.tool_calls[0].function.arguments

    async def async_chat(question):
        answer = await async_client.chat.completions.create(**said(question))
        return answer.choices[0].message.content

    async def async_stream(question):
        parts = await async_client.chat.completions.create(**said(question), stream=True)
        return "".join(
            [part.choices[0].delta.content or "" async for part in parts if part.choices]
        )

    def responses(question):
        return client.responses.create(model="openai-chat", input=question).output_text

    def responses_stream(question):
        parts = client.responses.create(model="openai-chat", input=question, stream=True)
        return "".join(part.delta for part in parts if part.type == "response.output_text.delta")

    return [chat, stream, tool, async_chat, async_stream, responses, responses_stream]
