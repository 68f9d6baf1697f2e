"""Client certificates of connectors, made ready for TLS.

OpenSSL takes a certificate and its key from files only, as Python offers it. They are written for as long as they are
being read, the key encrypted by a passphrase that is thrown away afterwards.
"""

import secrets
import ssl
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import Certificate, load_pem_x509_certificates

from connectory.connector_types.contract import ClientCertificate, ExchangeRefused


def load_client_certificate(context: ssl.SSLContext, given: ClientCertificate) -> None:
    """Raise `ExchangeRefused` when certificate or key cannot be read, or do not belong together."""
    try:
        key, chain = _from_pfx(given) if given.pfx is not None else _from_pem(given)
        _load(context, key, chain)
    except (ValueError, TypeError, ssl.SSLError) as error:  # the text of the error may quote what it could not read
        raise ExchangeRefused(f"the client certificate cannot be used: {_reason(error)}") from None


def _from_pfx(given: ClientCertificate) -> tuple[PrivateKeyTypes, list[Certificate]]:
    key, certificate, others = pkcs12.load_key_and_certificates(given.pfx or b"", _passphrase(given))
    if key is None or certificate is None:
        raise ValueError("the PFX has no key or no certificate")
    return key, [certificate, *others]


def _from_pem(given: ClientCertificate) -> tuple[PrivateKeyTypes, list[Certificate]]:
    chain = load_pem_x509_certificates(given.certificate or b"")
    pem, passphrase = given.key or b"", _passphrase(given)
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        if passphrase is None:
            raise ValueError("the key is encrypted, and there is no passphrase") from None
        key = load_pem_private_key(pem, None)  # a passphrase for a key that has none does no harm
    return key, chain


def _passphrase(given: ClientCertificate) -> bytes | None:
    return given.passphrase.encode() if given.passphrase else None


def _load(context: ssl.SSLContext, key: PrivateKeyTypes, chain: list[Certificate]) -> None:
    passphrase = secrets.token_hex(16)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    with tempfile.TemporaryDirectory(prefix="connectory-") as directory:  # only its owner may enter it
        file = Path(directory) / "client.pem"
        file.write_bytes(encrypted + b"".join(each.public_bytes(Encoding.PEM) for each in chain))
        context.load_cert_chain(file, password=passphrase)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "key and certificate do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else str(error)
    return "it cannot be read, or the passphrase is wrong" if type(error) is not ValueError else _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or "it cannot be read"
