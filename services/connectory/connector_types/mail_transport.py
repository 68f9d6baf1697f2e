"""Handing a mail over to a mail server (RFC 5321), or only showing what would be handed over."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid
from typing import Final

import aiosmtplib

from connectory.connector_types.contract import Egress, MailConnection, MailServer
from connectory.connector_types.json_text import compact
from connectory.connector_types.mail_addresses import plain_addresses, sent_addresses
from connectory.connector_types.mail_services import Server
from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json, JsonObject

_CONTROL_CHARACTERS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class MailRefused(ConnectoryError):
    """The server took the mail for nobody, or did not take it at all."""

    code = "mail-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """`content` is decoded."""

    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    sender: str
    to: Sequence[str]
    cc: Sequence[str]
    bcc: Sequence[str]
    reply_to: Sequence[str]
    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()

    @property
    def sender_address(self) -> str:
        return next(plain_addresses([self.sender]), "")

    @property
    def recipients(self) -> Sequence[str]:
        """Everybody who gets the mail, once."""
        return list(dict.fromkeys(plain_addresses([*self.to, *self.cc, *self.bcc])))

    @property
    def envelope(self) -> JsonObject:
        return {"from": self.sender_address, "to": self.recipients}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    user: str
    password: str = field(repr=False)


async def hand_over(egress: Egress, target: MailServer, server: Server, login: Login | None, mail: Mail) -> JsonObject:
    """Raises `EgressFailed` when the server cannot be reached, and `MailRefused`."""
    message, recipients = composed(mail), mail.recipients
    async with egress.connect_mail(target) as connection:
        client = _client(server, connection, login)
        try:
            refused, response = await _answer(client, connection.deadline, mail, message)
        except TimeoutError as error:
            raise MailRefused(connection.overdue) from error
        except aiosmtplib.SMTPException as error:
            raise MailRefused(_told(error)) from error
        except OSError as error:
            raise MailRefused(str(error)) from error
    return {
        "accepted": [each for each in recipients if each not in refused],
        "rejected": list(refused),
        "envelope": mail.envelope,
        "messageId": str(message["Message-ID"]),
        "response": response,
    }


def shown(mail: Mail) -> JsonObject:
    """What would be handed over, as a JSON text."""
    message_id = str(composed(mail)["Message-ID"])
    people = {"to": mail.to, "cc": mail.cc, "bcc": mail.bcc, "replyTo": mail.reply_to}
    content: dict[str, Json] = {
        "from": next(iter(_named([mail.sender])), None),
        **{name: _named(texts) for name, texts in people.items() if texts},
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "messageId": message_id,
    }
    return {"envelope": mail.envelope, "messageId": message_id, "message": compact(content)}


def composed(mail: Mail) -> EmailMessage:
    """Recipients of blind copies stand in the envelope only. Raises ValueError for headers that there cannot be."""
    message = EmailMessage()
    for name, texts in (("From", [mail.sender]), ("To", mail.to), ("Cc", mail.cc), ("Reply-To", mail.reply_to)):
        if texts:
            message[name] = tuple(sent_addresses(texts))
    message["Subject"] = _on_one_line(mail.subject)
    message["Date"] = localtime()
    message["Message-ID"] = make_msgid(domain=_domain(mail.sender))
    message.set_content(_writable(mail.text))
    message.add_alternative(_writable(mail.html), subtype="html")
    for each in mail.attachments:
        main, _, sub = each.content_type.partition("/")
        name = _on_one_line(each.filename)
        message.add_attachment(each.content, maintype=main, subtype=sub or "octet-stream", filename=name)
    return message


def _on_one_line(text: str) -> str:
    """For a header: one that came in with an end of line would be more than one."""
    return _CONTROL_CHARACTERS.sub("", " ".join(_writable(text).split()))


def _writable(text: str) -> str:
    """Half of a surrogate pair is no character of a mail."""
    return text.encode(errors="replace").decode()


async def _answer(
    client: aiosmtplib.SMTP, deadline: float, mail: Mail, message: EmailMessage
) -> tuple[Mapping[str, aiosmtplib.SMTPResponse], str]:
    """Recipients that were refused, and what the server said to the mail. Raises `TimeoutError` at the deadline."""
    try:
        async with asyncio.timeout_at(deadline):
            await client.connect()
            return await client.send_message(message, sender=mail.sender_address, recipients=mail.recipients)
    except (TimeoutError, asyncio.CancelledError):
        client.close()  # who was not answered in time, or is to stop, waits for no answer to a goodbye either
        raise
    finally:
        await _take_leave(client, deadline)


async def _take_leave(client: aiosmtplib.SMTP, deadline: float) -> None:
    """Where still connected. The mail has been answered: nothing that goes wrong from here on changes that."""
    try:
        with suppress(OSError, aiosmtplib.SMTPException):
            async with asyncio.timeout_at(deadline):
                await client.quit()
    finally:
        client.close()


def _client(server: Server, connection: MailConnection, login: Login | None) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        sock=connection.sock,
        use_tls=server.secure,
        start_tls=None if server.secure else _start_tls(server, connection),
        tls_context=connection.tls,
        username=login.user if login else None,
        password=login.password if login else None,
        timeout=connection.deadline - asyncio.get_running_loop().time(),  # without it a TLS handshake had 60 s
        local_hostname="localhost",
    )


def _start_tls(server: Server, connection: MailConnection) -> bool | None:
    """Whether STARTTLS must be, must not be, or is used where it is offered; the operator's wish counts first."""
    if connection.require_tls or (connection.require_tls is None and server.require_tls):
        return True
    if connection.ignore_tls or (connection.ignore_tls is None and server.ignore_tls):
        return False
    return None


def _told(error: aiosmtplib.SMTPException) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return "; ".join(f"{each.recipient}: {each.code} {each.message}" for each in error.recipients)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error)


def _domain(sender: str) -> str:
    first: Address | None = next(sent_addresses([sender]), None)
    return first.domain if first else "localhost"


def _named(texts: Sequence[str]) -> list[Json]:
    return [{"address": each.addr_spec, "name": each.display_name} for each in sent_addresses(texts)]
