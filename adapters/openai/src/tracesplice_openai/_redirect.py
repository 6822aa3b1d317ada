"""Keeps the link on the gateway's side of a redirect.

An HTTP client that follows a redirect repeats body and headers at the new address. A call that
carries a link therefore does not follow by itself: the answer comes back here as an error, and is
followed with the link where it stays on the gateway, without it where it leaves.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from tracesplice.adapter import guarded, warn_once

if TYPE_CHECKING:
    from tracesplice_openai._call import Call, Options

__all__ = ["follow_up"]

_MAX_HOPS = 5
_SAME_METHOD_AND_BODY = (307, 308)  # https://www.rfc-editor.org/rfc/rfc9110#section-15.4


@guarded("following a redirect without its link")
def follow_up(call: Call, response: Any, options: Options) -> Options | None:
    """Return the options of the request that follows a redirect.

    Args:
        call: The call that got the answer.
        response: The HTTP answer; a response of whichever HTTP library the SDK uses.
        options: The options of the request that was answered.

    Returns:
        None when the answer is no redirect, or the caller wants to see it.
    """
    if not call.follows_redirects or not 300 <= response.status_code < 400:
        return None
    location = response.headers.get("location")
    if not location:
        return None
    call.follows_redirects = False
    call.hops += 1
    target = urljoin(str(response.request.url), location)
    same_request = response.status_code in _SAME_METHOD_AND_BODY
    if same_request and call.hops <= _MAX_HOPS and call.reaches(target):
        redirected = copy.copy(options)
        redirected.url = target
        return redirected
    # Asked again without the link, the HTTP client follows as the user configured it.
    call.bare = True
    warn_once(
        f"redirect:{response.request.url.host}",
        "tracesplice: the gateway redirects calls to %s, so they go on without their link. Give "
        "the client the gateway's final address as base URL.",
        target.partition("?")[0],
    )
    return options
