"""A private certificate authority, and what servers and clients make of it."""

import ssl

import trustme
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

AUTHORITY = trustme.CA()
CA_PEM = AUTHORITY.cert_pem.bytes()


def server_tls(*names: str, wants_client: bool = False, authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    """A server with a certificate for these names; with `wants_client` it talks to clients of `AUTHORITY` only."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        AUTHORITY.configure_trust(context)
    return context


def client_pem(passphrase: str | None = None) -> tuple[bytes, bytes]:
    """Certificate and key of a client, the key encrypted when there is a passphrase."""
    issued = AUTHORITY.issue_cert("client@a.test")
    certificate, key = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    if passphrase is None:
        return certificate, key
    encryption = BestAvailableEncryption(passphrase.encode())
    return certificate, load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def client_pfx(passphrase: str | None = None) -> bytes:
    certificate, key = client_pem()
    private = load_pem_private_key(key, None)
    assert isinstance(private, EllipticCurvePrivateKey)
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"client", private, load_pem_x509_certificate(certificate), None, encryption
    )
