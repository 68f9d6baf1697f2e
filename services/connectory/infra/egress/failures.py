"""What went wrong when there is no response, in the codes and words of Node's clients, which users match on."""

import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp

from connectory.connector_types.contract import EgressFailed, ExchangeRefused
from connectory.infra.egress.targets import Target

_VERIFY_CODES: Final[Mapping[int, str]] = {
    2: "UNABLE_TO_GET_ISSUER_CERT",
    9: "CERT_NOT_YET_VALID",
    10: "CERT_HAS_EXPIRED",
    18: "DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "SELF_SIGNED_CERT_IN_CHAIN",
    20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    23: "CERT_REVOKED",
    62: "ERR_TLS_CERT_ALTNAME_INVALID",
    64: "ERR_TLS_CERT_ALTNAME_INVALID",
}
"""OpenSSL's X509_V_ERR_* numbers."""


def timed_out(milliseconds: int) -> EgressFailed:
    return EgressFailed(f"timeout of {milliseconds}ms exceeded", "ECONNABORTED")


def too_large(limit: int) -> ExchangeRefused:
    return ExchangeRefused(f"maxContentLength size of {limit} exceeded", "ERR_BAD_RESPONSE")


def too_many_redirects() -> ExchangeRefused:
    return ExchangeRefused("Maximum number of redirects exceeded", "ERR_FR_TOO_MANY_REDIRECTS")


class ConnectionLost(EgressFailed):
    """The connection had been made: whatever its code says, the target may have the request."""

    unreached = frozenset()


def unsendable() -> ExchangeRefused:
    """The header values themselves may be secret, so they are not named."""
    return ExchangeRefused("Invalid character in header content", "ERR_INVALID_CHAR")


def no_response(error: aiohttp.ClientError | OSError, target: Target) -> EgressFailed:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return not_resolved(error.os_error, error.host)
        case aiohttp.ClientConnectorCertificateError():
            return not_trusted(error.certificate_error)
        case aiohttp.ClientProxyConnectionError():
            return not_connected(error.os_error, error.host, error.port or 0)
        case aiohttp.ClientConnectorError():
            return not_connected(error.os_error, target.host, target.port)
        case aiohttp.ServerDisconnectedError():
            return EgressFailed("socket hang up", "ECONNRESET")
        case aiohttp.ClientPayloadError():
            return EgressFailed("aborted", "ECONNRESET")
        case aiohttp.ClientResponseError():
            return EgressFailed(f"Parse Error: {error.message.splitlines()[0]}", "HPE_INVALID_CONSTANT")
        case OSError():
            return ConnectionLost(f"read {_name(error.errno)}", _name(error.errno))
        case _:
            return EgressFailed(str(error))


def not_resolved(error: OSError, host: str) -> EgressFailed:
    code = "EAI_AGAIN" if error.errno == socket.EAI_AGAIN else "ENOTFOUND"
    return EgressFailed(f"getaddrinfo {code} {host}", code)


def not_connected(error: OSError, host: str, port: str | int) -> EgressFailed:
    if isinstance(error, ssl.SSLError):
        return EgressFailed(f"TLS handshake failed: {error.reason or error}", "EPROTO")
    code = _name(error.errno)
    return EgressFailed(f"connect {code} {host}:{port}", code)


def not_trusted(error: Exception) -> EgressFailed:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return EgressFailed(str(error), "ERR_TLS_CERT_ALTNAME_INVALID")
    code = _VERIFY_CODES.get(error.verify_code, "CERT_REJECTED")
    return EgressFailed(error.verify_message, code)


def _name(number: int | None) -> str:
    return errno.errorcode.get(number or 0, "ECONNRESET")
