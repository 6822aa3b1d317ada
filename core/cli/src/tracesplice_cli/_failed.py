"""How a request failed, in words."""

from __future__ import annotations

import ssl

__all__ = ["reason"]


def reason(error: BaseException) -> str:
    """The reason without numbers and places in source files, and what helps where that is known.

    Args:
        error: What urllib raised, or http.client.
    """
    inner = getattr(error, "reason", None) or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted, {inner.verify_message.rstrip('.')}; "
            "for an authority of your own: export SSL_CERT_FILE=ca.pem"
        )
    if isinstance(inner, ssl.SSLError):
        return f"no TLS is spoken there, {inner.reason}; its address may start with http://"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
