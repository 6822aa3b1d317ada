"""How a request failed, in words."""

from __future__ import annotations

import ssl

__all__ = ["reason"]

# Out of date, or of another name or address: https://docs.openssl.org/master/man1/openssl-verification-options/
_OF_NO_AUTHORITY = (9, 10, 62, 63, 64)
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")


def reason(error: BaseException) -> str:
    """The reason without numbers and places in source files, and what helps where that is known.

    Args:
        error: What urllib raised, or http.client.
    """
    inner = getattr(error, "reason", None) or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        said = f"its certificate is not trusted, {inner.verify_message.rstrip('.')}"
        if inner.verify_code in _OF_NO_AUTHORITY:
            return said
        return f"{said}; for an authority of your own: export SSL_CERT_FILE=ca.pem"
    if isinstance(inner, ssl.SSLError):
        if inner.reason in _NO_TLS:
            return f"no TLS is spoken there, {inner.reason}; its address may start with http://"
        return f"no connection by TLS, {inner.reason or inner}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
