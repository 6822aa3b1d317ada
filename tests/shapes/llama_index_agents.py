"""LlamaIndex's agents and workflows; they are asynchronous."""

from __future__ import annotations

from typing import Any

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step

from shapes.llama_index_shape import App, registry, weather
from shapes.shape import QUESTION, QUESTIONS

__all__ = ["SHAPES"]

SHAPES, shape = registry()

AGENT: dict[str, Any] = {"kinds": ("async",), "calls": 2}


@shape("FunctionAgent with a tool", **AGENT)
async def function_agent(app: App) -> Any:
    agent = FunctionAgent(tools=[weather], llm=app.model("tools"))
    return str(await agent.run(QUESTION))


@shape("FunctionAgent with a tool, not streamed", **AGENT)
async def function_agent_whole(app: App) -> Any:
    agent = FunctionAgent(tools=[weather], llm=app.model("tools"), streaming=False)
    return str(await agent.run(QUESTION))


@shape("FunctionAgent with a tool, stream of events", **AGENT)
async def function_agent_events(app: App) -> Any:
    handler = FunctionAgent(tools=[weather], llm=app.model("tools")).run(QUESTION)
    names = [type(event).__name__ async for event in handler.stream_events()]
    await handler
    return names


@shape("ReActAgent", kinds=("async",))
async def react_agent(app: App) -> Any:
    agent = ReActAgent(tools=[weather], llm=app.model())
    return str(await agent.run(f"Thought: I can answer. Answer: {QUESTION}"))


@shape("AgentWorkflow with a tool", **AGENT)
async def agent_workflow(app: App) -> Any:
    workflow = AgentWorkflow.from_tools_or_functions([weather], llm=app.model("tools"))
    return str(await workflow.run(user_msg=QUESTION))


class Asked(Event):
    question: str


class Answered(Event):
    answer: str


class AskTwice(Workflow):
    """Asks two questions at the same time."""

    def __init__(self, llm: Any) -> None:
        super().__init__()
        self._llm = llm

    @step
    async def start(self, ctx: Context, ev: StartEvent) -> Asked | None:
        for question in QUESTIONS:
            ctx.send_event(Asked(question=question))
        return None

    @step(num_workers=2)
    async def ask(self, ev: Asked) -> Answered:
        return Answered(answer=(await self._llm.acomplete(ev.question)).text)

    @step
    async def collect(self, ctx: Context, ev: Answered) -> StopEvent | None:
        answers: Any = ctx.collect_events(ev, [Answered, Answered])
        if answers is None:
            return None
        return StopEvent(result=sorted(each.answer for each in answers))


@shape("Workflow with parallel steps", **AGENT)
async def workflow(app: App) -> Any:
    return await AskTwice(app.model()).run()
