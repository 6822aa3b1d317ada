"""Each wire form as a plain HTTP request of an application on Langfuse, without any SDK.

The link is put in by what the adapters use, so that it goes out as they send it.
"""

from __future__ import annotations

import copy
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from langfuse import propagate_attributes
from opentelemetry.context import Context, attach, detach

import tracesplice
from conformance.checks import ATTRIBUTES
from conformance.forms import FORMS, Form
from conformance.harness import UNTRACED, Cell, run_cell, run_unspliced
from shapes.shape import AMBIENT, OWN, Shape
from tracesplice.adapter import capture_link, link_request
from tracesplice_testing.model import ReceivedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.harness import Stage
    from tracesplice.adapter import Link
    from tracesplice_testing.gateway import GatewayMode, Reply

__all__ = ["REQUESTS", "HttpApplication", "Request", "cell", "encoded", "wrong"]

GENERATION, SPAN, NOTHING = "generation", "span", "nothing"
QUESTION = "question-1"
MESSAGES = [{"role": "user", "content": QUESTION}]
BODIES: dict[str, dict[str, Any]] = {
    "/chat/completions": {"model": "chat", "messages": MESSAGES},
    "/openai/deployments/chat/chat/completions": {"model": "chat", "messages": MESSAGES},
    "/completions": {"model": "openai-completion", "prompt": QUESTION},
    "/responses": {"model": "openai-chat", "input": QUESTION},
    "/messages": {"model": "claude", "messages": MESSAGES, "max_tokens": 9},
    "/embeddings": {"model": "openai-embed", "input": QUESTION},
    "/images/generations": {"model": "image", "prompt": QUESTION},
    "/audio/speech": {"model": "speech", "input": QUESTION, "voice": "alloy"},
    "/audio/transcriptions": {"model": "transcribe"},
    "/moderations": {"model": "moderate", "input": QUESTION},
    "/rerank": {"model": "rerank", "query": QUESTION, "documents": ["a b", "c"]},
}
COUNTED = ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings")
"""Routes whose calls the application describes with a generation of its own."""


@dataclass(frozen=True)
class Request:
    """One way a call goes over the wire.

    Attributes:
        form: What it is in the catalog of forms.
        path: The route.
        body: What the application writes into its body.
        around: The type of the observation it is made in.
        headers: What the application writes into its headers.
    """

    form: Form
    path: str
    body: Mapping[str, Any]
    around: str
    headers: Mapping[str, str] = field(default_factory=lambda: {"x-team": "blue"})


def _of_catalog(form: Form) -> Request:
    path = form.route.replace("{model}", "chat")
    body = {**BODIES[path], **({"stream": True} if form.stream else {})}
    if form.encoding == "json":
        # Of OpenAI and Anthropic, for their own use.
        body["metadata"] = {"user_id": "account"} if path == "/messages" else {"team": "blue"}
    around = NOTHING if form.ids == "none" else GENERATION if path.endswith(COUNTED) else SPAN
    # This route alone has to have the version in front.
    return Request(form, f"/v1{path}" if path == "/messages" else path, body, around)


def _others() -> dict[str, Request]:
    """Requests that no call shape makes, by name."""
    chat, response = BODIES["/chat/completions"], BODIES["/responses"]
    message = BODIES["/messages"]
    stream = {"stream": True}
    return {
        "chat, in a span": Request(Form("/chat/completions"), "/v1/chat/completions", chat, SPAN),
        "chat, litellm_metadata": Request(
            Form("/chat/completions"),
            "/chat/completions",
            {**chat, "litellm_metadata": {"team": "blue"}},
            GENERATION,
        ),
        "responses through a chat model": Request(
            Form("/responses"), "/v1/responses", {**response, "model": "chat"}, GENERATION
        ),
        "responses/compact": Request(
            Form("/responses/compact"), "/responses/compact", response, SPAN
        ),
        **{
            f"messages of {model}{', stream' * streams}": Request(
                Form("/messages", stream=streams),
                "/v1/messages",
                {**message, "model": model, **(stream if streams else {})},
                GENERATION,
            )
            for model in ("chat", "openai-chat")
            for streams in (False, True)
        },
        "videos": Request(
            Form("/videos"), "/v1/videos", {"model": "video", "prompt": QUESTION}, SPAN
        ),
        **{
            path: Request(Form(path.replace("/v1", "")), path, BODIES["/rerank"], SPAN)
            for path in ("/v1/rerank", "/v2/rerank")
        },
    }


REQUESTS: dict[str, Request] = {name: _of_catalog(form) for name, form in FORMS.items()} | _others()


class HttpApplication:
    """Sends a request in an observation of its own, in that of the cell, or in none.

    Attributes:
        sent: The last request.
        reply: Its answer.
        link: What becomes of each link before it is sent.
    """

    name = "HTTP"
    enclosing: str | None = None
    sent: ClassVar[ReceivedRequest]
    reply: ClassVar[Reply]
    link: ClassVar[Callable[[Link], Link]] = staticmethod(lambda link: link)

    def __init__(self, stage: Stage, cell: Cell, splice: Callable[[Any], Any]) -> None:
        self._stage = stage
        assert cell.mode is not None
        self._gateway = stage.gateways[cell.mode]
        self._linked = splice is tracesplice.splice
        self._request = REQUESTS[cell.shape.name]
        self._before = copy.deepcopy(self._request.body)

    async def run(self, shape: Shape) -> Any:
        """Return the shape's answer."""
        return await shape.run(self)

    def changed(self) -> str | None:
        """Return what became of the application's body, or None if it is what it was."""
        body = self._request.body
        return None if body == self._before else f"{body!r} was {self._before!r}"

    async def send(self) -> Any:
        """Send the request, and return the answer in comparable form."""
        with ExitStack() as around:
            if not self._request.form.prompt:  # none is ambient either
                around.callback(detach, attach(Context()))
                around.enter_context(propagate_attributes(**ATTRIBUTES))
            own = around.enter_context(self._generation()) if self._is_counted else None
            reply = self._linked_post() if self._linked else self._post(self._request.body, {})
            if own is not None:
                own.update(usage_details={"total": 200}, cost_details={"total": 1.0})
        HttpApplication.reply = reply
        assert reply.status == 200, reply.body
        return _parsed(reply)

    @property
    def _is_counted(self) -> bool:
        return self._request.around == GENERATION

    def _generation(self) -> Any:
        prompt = self._stage.prompts[OWN] if self._request.form.prompt else None
        return self._stage.langfuse.start_as_current_observation(
            name="mine", as_type="generation", model="chat", input=QUESTION, prompt=prompt
        )

    def _linked_post(self) -> Reply:
        request = self._request
        link = HttpApplication.link(capture_link())
        written = None if request.form.ids == "header" else request.body
        is_form = request.form.encoding == "form"
        added = link_request(written, request.headers, link=link, form=is_form)
        reply = self._post({**request.body, **added.body}, added.headers)
        added.answered(cast("Any", reply.headers))  # http.client's mapping, any case
        return reply

    def _post(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        content, kind = encoded(body, self._request.form)
        sent = {**self._request.headers, **headers, "content-type": kind}
        HttpApplication.sent = ReceivedRequest("POST", self._request.path, sent, content)
        return self._gateway.post(self._request.path, content, sent)


async def _send(app: HttpApplication) -> Any:
    return await app.send()


def cell(name: str, mode: GatewayMode) -> Cell:
    """The cell that sends the request of this name."""
    request = REQUESTS[name]
    counted = request.around == GENERATION
    prompts = (OWN if counted else AMBIENT,) if request.form.prompt else ()
    shape = Shape(name, _send, ("sync",), observations=int(counted), prompts=prompts)
    tracer = GENERATION if counted else UNTRACED
    return Cell(HttpApplication, shape, "sync", mode, request.around == SPAN, tracer)


def wrong(stage: Stage, cell: Cell) -> set[str]:
    """The checks that do not hold."""
    stage.clear()
    checks = run_cell(stage, cell, run_unspliced(stage, cell)).checks
    return {check for check, text in checks.items() if text is not None}


def encoded(body: Mapping[str, Any], form: Form) -> tuple[bytes, str]:
    """A request's content and its type."""
    if form.encoding == "json":
        return json.dumps(body).encode(), "application/json"
    return _multipart(body.items()), "multipart/form-data; boundary=b"


def _multipart(fields: Iterable[tuple[str, str]]) -> bytes:
    parts = [f'name="{name}"\r\n\r\n{text}' for name, text in fields]
    parts.append('name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF')
    lines = (f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    return f"{''.join(lines)}--b--\r\n".encode()


def _parsed(reply: Reply) -> Any:
    if reply.body.startswith(b"{"):
        return reply.json
    lines = reply.body.decode("latin-1").splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return events or lines
