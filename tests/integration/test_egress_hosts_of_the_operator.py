"""What the operator sets for single hosts counts before what connectors ask for; client certificates; redirects."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme

from connectory.connector_types.contract import (
    ClientCertificate,
    EgressFailed,
    ExchangeRefused,
    OutgoingRequest,
    VerificationMode,
)
from connectory.infra.egress import EgressSettings, open_egress
from connectory.infra.settings.custom_hosts import CustomHost
from tests.fakes.http_target import Answer, HttpTarget, http_target
from tests.fakes.resolver import FakeResolver
from tests.fakes.tls import CA_PEM, client_pem, client_pfx, server_tls

CERTIFICATE, KEY = client_pem()
CLIENT = ClientCertificate(certificate=CERTIFICATE, key=KEY)
NAMES = {"a_test": [["127.0.0.1"]], "b_test": [["127.0.0.1"]]}


@pytest.fixture
async def target() -> AsyncIterator[HttpTarget]:
    async with http_target(server_tls("a.test")) as target:
        target.url = target.url.replace("127.0.0.1", "a.test")
        yield target


async def status(url: str, *custom: CustomHost, **fields: Any) -> int:
    settings = EgressSettings(user_agent="x", custom_hosts={each.url: each for each in custom})
    async with open_egress(settings, FakeResolver(**NAMES)) as egress:
        return (await egress.send(OutgoingRequest(method="GET", url=url, **fields))).status


async def test_the_authorities_of_an_entry_replace_those_of_the_connector(target: HttpTarget) -> None:
    other, ours = trustme.CA().cert_pem.bytes(), CA_PEM.decode()

    assert await status(target.url, CustomHost(url=target.url, certificate_authorities=ours), ca_pem=other) == 200
    with pytest.raises(EgressFailed):
        await status(target.url, CustomHost(url=target.url, certificate_authorities=other.decode()), ca_pem=CA_PEM)


@pytest.mark.parametrize(("entry", "asked", "trusted"), [("none", "full", True), ("full", "none", False)])
async def test_the_mode_of_an_entry_replaces_that_of_the_connector(
    target: HttpTarget, entry: VerificationMode, asked: VerificationMode, trusted: bool
) -> None:
    url, custom = target.url, CustomHost(url=target.url, verification_mode=entry)

    if trusted:
        assert await status(url, custom, verification_mode=asked) == 200
    else:
        with pytest.raises(EgressFailed):
            await status(url, custom, verification_mode=asked)


async def test_what_an_entry_leaves_out_stays_as_it_was(target: HttpTarget) -> None:
    lenient = CustomHost(url=target.url, verification_mode="certificate")

    assert await status(target.url.replace("a.test", "b.test"), lenient, verification_mode="none") == 200
    assert await status(target.url, lenient, ca_pem=CA_PEM) == 200


@pytest.mark.parametrize("other", ["https://a.test:1", "http://a.test:{port}", "https://b.test:{port}"])
async def test_an_entry_is_for_its_scheme_host_and_port_only(target: HttpTarget, other: str) -> None:
    entry = CustomHost(url=other.format(port=target.url.rpartition(":")[2]), verification_mode="none")

    with pytest.raises(EgressFailed):
        await status(target.url, entry)


@pytest.mark.parametrize(
    ("certificate", "text"),
    [
        (ClientCertificate(certificate=b"nonsense", key=KEY), "Unable to load PEM file"),
        (ClientCertificate(certificate=CERTIFICATE), ""),
        (ClientCertificate(certificate=CERTIFICATE, key=client_pem()[1]), "key and certificate do not belong together"),
        (ClientCertificate(certificate=CERTIFICATE, key=client_pem("x")[1]), "the key is encrypted, and there is no"),
        (ClientCertificate(certificate=CERTIFICATE, key=client_pem("x")[1], passphrase="y"), ""),
        (ClientCertificate(pfx=client_pfx("x"), passphrase="y"), "Invalid password or PKCS12 data"),
        (ClientCertificate(pfx=b"nonsense"), ""),
    ],
)
async def test_a_client_certificate_that_cannot_be_used_is_never_tried_again(
    target: HttpTarget, certificate: ClientCertificate, text: str
) -> None:
    with pytest.raises(ExchangeRefused) as caught:
        await status(target.url, ca_pem=CA_PEM, client_certificate=certificate)

    assert caught.value.message.startswith(f"the client certificate cannot be used: {text}")
    assert target.received == []


async def test_another_origin_does_not_see_the_client_certificate(target: HttpTarget) -> None:
    async with http_target(server_tls("b.test", wants_client=True)) as other:
        location = other.url.replace("127.0.0.1", "b.test")
        url = target.answers_with("/", Answer(status=307, headers={"Location": location}))
        with pytest.raises(EgressFailed):
            await status(url, ca_pem=CA_PEM, client_certificate=CLIENT)

    assert other.received == []


async def test_the_same_origin_does() -> None:
    async with http_target(server_tls("a.test", wants_client=True)) as target:
        target.answers_with("/", Answer(status=307, headers={"Location": "/there"}))
        url = target.url.replace("127.0.0.1", "a.test") + "/"
        assert await status(url, ca_pem=CA_PEM, client_certificate=CLIENT) == 200


@pytest.mark.parametrize(("most", "answered"), [(0, 307), (None, 200), (1, 200)])
async def test_a_request_may_say_how_many_redirects_are_followed(
    target: HttpTarget, most: int | None, answered: int
) -> None:
    url = target.answers_with("/", Answer(status=307, headers={"Location": "/there"}))

    assert await status(url, ca_pem=CA_PEM, max_redirects=most) == answered


async def test_a_request_cannot_ask_for_more_redirects_than_it_may_have(target: HttpTarget) -> None:
    url = target.answers_with("/", Answer(status=307, headers={"Location": "/"}))

    with pytest.raises(ExchangeRefused, match="Maximum number of redirects exceeded"):
        await status(url, ca_pem=CA_PEM, max_redirects=3)
    assert len(target.received) == 4
