"""The forms a request can have on the wire: what call shapes make, and gateways must understand.

`tests/shapes` proves that every call of a shape has a form of `FORMS`, and that the link in it is
right; `tests/conformance` proves each form on real gateways, in every mode.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracesplice_testing.model import ReceivedRequest

__all__ = ["FORMS", "Form", "form_of", "link_in"]

CONTAINER = "litellm_metadata"
Ids = Literal["body+header", "header", "body", "none"]
_DEPLOYMENT = re.compile(r"/deployments/[^/]+")


@dataclass(frozen=True, order=True)
class Form:
    """What a gateway may have to treat in a way of its own.

    Attributes:
        route: The path, without ``/v1`` in front; Azure's deployment is ``{model}``.
        encoding: "json" or "form", how the fields travel, the link's among them.
        stream: Whether the answer is to be streamed.
        ids: Where trace and parent are: "none" where the application opened no trace.
        prompt: Whether the call is linked to a prompt.
    """

    route: str
    encoding: Literal["json", "form"] = "json"
    stream: bool = False
    ids: Ids = "body+header"
    prompt: bool = True

    def __str__(self) -> str:
        stream = ("stream",) if self.stream else ()
        prompt = ("prompt",) if self.prompt else ()
        return " ".join((self.route, self.encoding, *stream, self.ids, *prompt))


def link_in(request: ReceivedRequest) -> Mapping[str, Any]:
    """What a request says in its body, empty if nothing."""
    text = request.form.get(CONTAINER)
    found: Any = request.json.get(CONTAINER) if text is None else json.loads(text)
    return found or {}


def form_of(request: ReceivedRequest) -> Form:
    """The form of a request that arrived."""
    link = link_in(request)
    body, header = "existing_trace_id" in link, "traceparent" in request.headers
    ids: dict[tuple[bool, bool], Ids] = {
        (True, True): "body+header",
        (False, True): "header",
        (True, False): "body",
        (False, False): "none",
    }
    return Form(
        _DEPLOYMENT.sub("/deployments/{model}", request.path.removeprefix("/v1")),
        "form" if request.form else "json",
        request.json.get("stream") is True,
        ids[body, header],
        "prompt" in link,
    )


def _forms() -> Iterator[Form]:
    both, one, ids = (False, True), (False,), ("body+header", "none")
    routes: dict[tuple[str, Literal["json", "form"]], tuple[bool, ...]] = {
        ("/chat/completions", "json"): both,
        ("/completions", "json"): both,
        ("/responses", "json"): both,
        ("/messages", "json"): both,
        ("/openai/deployments/{model}/chat/completions", "json"): one,
        ("/embeddings", "json"): one,
        ("/images/generations", "json"): one,
        ("/audio/speech", "json"): one,
        ("/audio/transcriptions", "form"): one,
        ("/moderations", "json"): one,
        ("/rerank", "json"): one,
    }
    for (route, encoding), streams in routes.items():
        for stream in streams:
            for where in ids:
                yield Form(route, encoding, stream, where)  # type: ignore[arg-type]
    # What cannot be in the body, where the caller wrote something else in its place.
    yield Form("/chat/completions", ids="header", prompt=False)
    yield Form("/chat/completions", prompt=False)


FORMS = {str(form): form for form in _forms()}
"""Every form that a call shape makes, by the name the outcomes use."""
