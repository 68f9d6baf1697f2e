"""Connections to mail servers, over real sockets: judged, tunnelled, and with the TLS that the operator wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import EgressFailed, EgressRefused, MailServer
from connectory.infra.egress import EgressSettings, open_egress
from connectory.infra.egress.proxies import Proxy
from connectory.infra.settings.custom_hosts import CustomHost
from tests.fakes.http_proxy import HttpProxy, http_proxy
from tests.fakes.resolver import FakeResolver
from tests.fakes.tls import CA_PEM, server_tls

NAMES = {"mail_test": [["127.0.0.1"]], "evil_test": [["169.254.169.254"]]}


@asynccontextmanager
async def greeter(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Speaks first, and echoes what it is told; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close()


def by(between: HttpProxy) -> Proxy:
    host, _, port = between.address.partition(":")
    return Proxy(host=host, port=int(port), is_tls=between.url.startswith("https"), verification_mode="none")


async def talk(server: MailServer, *, tls: bool = False, **settings: Any) -> bytes:
    """What a client that says `hi` hears."""
    async with (
        open_egress(EgressSettings(user_agent="x", **settings), FakeResolver(**NAMES)) as egress,
        egress.connect_mail(server) as connection,
    ):
        context, name = (connection.tls, server.host) if tls else (None, None)
        reader, writer = await asyncio.open_connection(sock=connection.sock, ssl=context, server_hostname=name)
        writer.write(b"hi\r\n")
        heard = await reader.readline() + await reader.readline()
        writer.close()
    return heard


async def test_a_mail_server_is_connected_to_directly() -> None:
    async with greeter() as port:
        assert await talk(MailServer(host="mail.test", port=port)) == b"220 hello\r\nhi\r\n"


@pytest.mark.parametrize("secure", [False, True])
async def test_a_mail_server_is_reached_through_the_proxy(secure: bool) -> None:
    async with greeter() as port, http_proxy(server_tls("127.0.0.1") if secure else None) as between:
        heard = await talk(MailServer(host="mail.test", port=port), proxy=by(between))

    assert heard == b"220 hello\r\nhi\r\n"
    assert [asked.target for asked in between.asked] == [f"mail.test:{port}"]


async def test_tls_goes_through_the_tunnel() -> None:
    async with greeter(server_tls("mail.test")) as port, http_proxy() as between:
        url = f"smtp://mail.test:{port}"
        custom = {url: CustomHost(url=url, certificate_authorities=CA_PEM.decode())}
        server = MailServer(host="mail.test", port=port)
        heard = await talk(server, tls=True, proxy=by(between), custom_hosts=custom)

    assert heard == b"220 hello\r\nhi\r\n"


@pytest.mark.parametrize("unchecked", [True, False])
async def test_a_certificate_is_checked_unless_the_type_says_otherwise(unchecked: bool) -> None:
    async with greeter(server_tls("mail.test")) as port:
        server = MailServer(host="mail.test", port=port, unchecked=unchecked)
        if unchecked:
            assert await talk(server, tls=True) == b"220 hello\r\nhi\r\n"
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await talk(server, tls=True)


async def test_the_operator_counts_before_the_type() -> None:
    async with greeter(server_tls("mail.test")) as port:
        url = f"smtp://mail.test:{port}"
        custom = {url: CustomHost(url=url, verification_mode="full", require_tls=True, ignore_tls=False)}
        with pytest.raises(ssl.SSLCertVerificationError):
            await talk(MailServer(host="mail.test", port=port, unchecked=True), tls=True, custom_hosts=custom)


async def test_the_wishes_about_starttls_are_handed_over() -> None:
    async with greeter() as port:
        url = f"smtp://mail.test:{port}"
        settings = EgressSettings(user_agent="x", custom_hosts={url: CustomHost(url=url, ignore_tls=True)})
        async with (
            open_egress(settings, FakeResolver(**NAMES)) as egress,
            egress.connect_mail(MailServer(host="MAIL.test", port=port)) as connection,
        ):
            assert (connection.ignore_tls, connection.require_tls) == (True, None)
            connection.sock.close()


@pytest.mark.parametrize(
    ("host", "settings", "text"),
    [
        (
            "mail.test",
            {"allowed_hosts": ("other.test",)},
            'target hostname "mail.test" is not added to the Kibana',
        ),
        ("evil.test", {}, 'target address "169.254.169.254" of host "evil.test" is a cloud metadata address'),
        ("169.254.169.254", {}, 'target address "169.254.169.254" of host "169.254.169.254" is a cloud metadata'),
        ("127.0.0.1", {"block_private_addresses": True}, 'target address "127.0.0.1" of host "127.0.0.1" is not publ'),
    ],
)
async def test_a_mail_server_is_judged_like_any_target(host: str, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        await talk(MailServer(host=host, port=25), **settings)

    assert caught.value.message.startswith(text)


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal"])
async def test_a_tunnel_leads_to_no_metadata_service(host: str) -> None:
    async with http_proxy() as between:
        with pytest.raises(EgressRefused):
            await talk(MailServer(host=host, port=25), proxy=by(between))

    assert between.asked == []


async def test_a_mail_server_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    with pytest.raises(EgressFailed) as caught:
        await talk(MailServer(host="mail.test", port=unused_tcp_port))

    assert (caught.value.message, caught.value.undelivered) == (
        f"connect ECONNREFUSED mail.test:{unused_tcp_port}",
        True,
    )


@pytest.mark.parametrize("host", ["nowhere.test", "a b", ""])
async def test_a_host_that_does_not_exist_is_not_found(host: str) -> None:
    with pytest.raises(EgressFailed, match="getaddrinfo ENOTFOUND"):
        await talk(MailServer(host=host, port=25))


async def test_a_proxy_that_does_not_answer_is_not_waited_for_without_end() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    proxy = Proxy(host="127.0.0.1", port=server.sockets[0].getsockname()[1], is_tls=False)
    with pytest.raises(EgressFailed, match="timeout of 50ms exceeded"):
        await talk(MailServer(host="mail.test", port=25), proxy=proxy, response_timeout=timedelta(milliseconds=50))
    server.close()


async def test_connecting_takes_its_part_of_the_time_for_the_whole_call() -> None:
    async def opens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked_at.set_result(asyncio.get_running_loop().time())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.read()
        writer.close()

    asked_at = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(opens, "127.0.0.1", 0)
    proxy = Proxy(host="127.0.0.1", port=server.sockets[0].getsockname()[1], is_tls=False)
    settings = EgressSettings(user_agent="x", proxy=proxy, response_timeout=timedelta(seconds=9))
    target = MailServer(host="mail.test", port=25)
    async with open_egress(settings) as egress, egress.connect_mail(target) as connection:
        connection.sock.close()
    server.close()

    assert connection.deadline < await asked_at + 9
    assert connection.overdue == "timeout of 9000ms exceeded"
