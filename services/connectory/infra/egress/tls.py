"""TLS of outgoing calls: one context for each combination of mode, trust store and certificate, made once and kept."""

import ssl
from functools import lru_cache

from connectory.connector_types.contract import ClientCertificate, ExchangeRefused, VerificationMode
from connectory.infra.egress.client_certificates import load_client_certificate

REMEMBERED_PROFILES = 256
"""Connections are pooled by context, so a profile that is dropped costs its connectors new handshakes."""


@lru_cache(REMEMBERED_PROFILES)
def tls_context(
    mode: VerificationMode, ca_pem: bytes | None = None, client_certificate: ClientCertificate | None = None
) -> ssl.SSLContext:
    """Raise `ExchangeRefused` when the CA bundle or the client certificate cannot be used.

    A CA bundle replaces the system's trust store.
    """
    context = ssl.create_default_context() if ca_pem is None else _context_that_trusts(ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = mode == "full"
    context.verify_mode = ssl.CERT_NONE if mode == "none" else ssl.CERT_REQUIRED
    if client_certificate is not None:
        load_client_certificate(context, client_certificate)
    return context


@lru_cache(REMEMBERED_PROFILES)
def pem(text: str | None) -> bytes | None:
    """The same bytes for the same text, so that looking up a context does not hash a bundle for each call."""
    return text.encode() if text else None


def _context_that_trusts(ca_pem: bytes) -> ssl.SSLContext:
    if not ca_pem.strip():  # an empty bundle would mean the system's trust store
        raise ExchangeRefused("the CA bundle cannot be used: it is empty")
    try:
        return ssl.create_default_context(cadata=ca_pem.decode())
    except (ssl.SSLError, ValueError) as error:
        raise ExchangeRefused(f"the CA bundle cannot be used: {error}") from None
