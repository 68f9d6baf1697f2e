"""TLS of outgoing calls over real sockets."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme

from connectory.connector_types.contract import EgressFailed, OutgoingRequest, OutgoingResponse, VerificationMode
from connectory.infra.egress import EgressSettings, open_egress
from tests.fakes.http_target import HttpTarget, http_target
from tests.fakes.resolver import FakeResolver

AUTHORITY = trustme.CA()
CA_PEM = AUTHORITY.cert_pem.bytes()
SETTINGS = EgressSettings(user_agent="x")


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    """Trusted by who trusts `AUTHORITY`, under the name a.test."""
    async with http_target(server_tls(AUTHORITY.issue_cert("a.test"))) as target:
        target.url = target.url.replace("127.0.0.1", "a.test")
        yield target


async def call(
    url: str, *, ca: bytes | None = CA_PEM, mode: VerificationMode | None = None, settings: EgressSettings = SETTINGS
) -> OutgoingResponse:
    names = FakeResolver(a_test=[["127.0.0.1"]], b_test=[["127.0.0.1"]])
    async with open_egress(settings, names) as egress:
        return await egress.send(OutgoingRequest(method="GET", url=url, ca_pem=ca, verification_mode=mode))


async def error_code(url: str, *, ca: bytes | None = CA_PEM, mode: VerificationMode | None = None) -> str | None:
    with pytest.raises(EgressFailed) as caught:
        await call(url, ca=ca, mode=mode)
    return caught.value.error_code


async def test_a_chain_and_name_that_fit_are_trusted(target: HttpTarget) -> None:
    assert (await call(target.url)).status == 200


async def test_the_trust_store_of_the_system_does_not_know_a_private_authority(target: HttpTarget) -> None:
    assert await error_code(target.url, ca=None) in ("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "SELF_SIGNED_CERT_IN_CHAIN")


async def test_a_ca_replaces_the_trust_store(target: HttpTarget) -> None:
    other = trustme.CA().cert_pem.bytes()

    assert await error_code(target.url, ca=other) is not None


@pytest.mark.parametrize(("mode", "trusted"), [("full", False), ("certificate", True), ("none", True)])
async def test_only_full_verification_checks_the_name(
    target: HttpTarget, mode: VerificationMode, trusted: bool
) -> None:
    url = target.url.replace("a.test", "b.test")

    if trusted:
        assert (await call(url, mode=mode)).status == 200
    else:
        assert await error_code(url, mode=mode) == "ERR_TLS_CERT_ALTNAME_INVALID"


@pytest.mark.parametrize(("mode", "trusted"), [("certificate", False), ("none", True)])
async def test_no_verification_checks_nothing(target: HttpTarget, mode: VerificationMode, trusted: bool) -> None:
    if trusted:
        assert (await call(target.url, ca=None, mode=mode)).status == 200
    else:
        assert await error_code(target.url, ca=None, mode=mode) is not None


async def test_the_mode_of_a_request_replaces_that_of_the_settings(target: HttpTarget) -> None:
    lenient = replace(SETTINGS, verification_mode="none")

    assert (await call(target.url, ca=None, settings=lenient)).status == 200
    with pytest.raises(EgressFailed):
        await call(target.url, ca=None, mode="full", settings=lenient)


async def test_an_expired_certificate_is_named_so() -> None:
    expired = AUTHORITY.issue_cert("a.test", not_after=datetime(2020, 1, 1, tzinfo=UTC))

    async with http_target(server_tls(expired)) as target:
        assert await error_code(target.url.replace("127.0.0.1", "a.test")) == "CERT_HAS_EXPIRED"


async def test_versions_before_tls_1_2_are_not_spoken() -> None:
    old = server_tls(AUTHORITY.issue_cert("a.test"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    async with http_target(old) as target:
        assert await error_code(target.url.replace("127.0.0.1", "a.test"), mode="none") in ("EPROTO", "ECONNRESET")


async def test_a_server_without_tls_is_a_failure() -> None:
    async with http_target() as target:
        url = target.url.replace("http://127.0.0.1", "https://a.test")
        assert await error_code(url) == "EPROTO"


@pytest.mark.parametrize(
    "ca", [b"", b"nonsense", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
async def test_a_ca_bundle_that_cannot_be_read_trusts_nobody(target: HttpTarget, ca: bytes) -> None:
    with pytest.raises(EgressFailed) as caught:
        await call(target.url, ca=ca)

    assert caught.value.message.startswith("the CA bundle cannot be used: ")
    assert not caught.value.retryable
