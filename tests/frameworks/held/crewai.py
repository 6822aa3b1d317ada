"""CrewAI: its own provider for OpenAI holds clients; other models are LiteLLM's."""

from crewai import LLM, Agent

from frameworks.held import KEY, MESSAGES


def chat(url, **settings):
    return LLM(model="openai/gpt-4o-mini", base_url=url, api_key=KEY, **settings)


HELD = {
    "LLM": (
        chat,
        lambda llm: llm.call(MESSAGES) and None,
        lambda llm: llm.acall(MESSAGES),
    ),
    "LLM that streams": (
        lambda url: chat(url, stream=True),
        lambda llm: llm.call(MESSAGES) and None,
        lambda llm: llm.acall(MESSAGES),
    ),
    "LLM for Responses": (
        lambda url: chat(url, api="responses"),
        lambda llm: llm.call(MESSAGES) and None,
    ),
    "Agent": (
        lambda url: Agent(role="helper", goal="help", backstory="none", llm=chat(url)),
        lambda agent: agent.kickoff_async("hello"),
    ),
    "LLM by LiteLLM": (
        lambda url: LLM(model="litellm_proxy/chat", is_litellm=True, base_url=url, api_key=KEY),
        lambda llm: llm.call(MESSAGES) and None,
        lambda llm: llm.acall(MESSAGES),
    ),
    "LLM by LiteLLM that streams": (
        lambda url: LLM(
            model="litellm_proxy/chat", is_litellm=True, base_url=url, api_key=KEY, stream=True
        ),
        lambda llm: llm.call(MESSAGES) and None,
        lambda llm: llm.acall(MESSAGES),
    ),
}
