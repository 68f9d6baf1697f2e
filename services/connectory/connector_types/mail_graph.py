"""Handing a mail over to Exchange by Microsoft Graph."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

from connectory.connector_types.calls import json_post
from connectory.connector_types.contract import AccessTokens, Egress
from connectory.connector_types.json_text import compact, parsed_or_text
from connectory.connector_types.mail_addresses import plain_addresses
from connectory.connector_types.mail_settings import MailSettings
from connectory.connector_types.mail_transport import Mail
from connectory.connector_types.oauth import client_credentials
from connectory.connector_types.retry_after import retry_at
from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json, JsonObject

ACCEPTED: Final = 202


class GraphRefused(ConnectoryError):
    """An answer other than that the mail is taken. The message is its body as JSON."""

    code = "mail-refused"

    def __init__(self, message: str, status: int | None = None, retry_after: datetime | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Where in Exchange, and as which application."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Microsoft Graph for one connector."""

    egress: Egress
    tokens: AccessTokens
    now: Callable[[], datetime]
    connector_id: str
    settings: MailSettings

    async def hand_over(self, tenant: Tenant, mail: Mail) -> JsonObject:
        """Raises `EgressFailed`, `TokenRefused` and `GraphRefused`."""
        url = f"{self.settings.graph_url}/users/{quote(mail.sender_address, safe='@')}/sendMail"
        request = json_post(url, {"message": message_of(mail)}, {"Authorization": await self._token(tenant)})
        response = await self.egress.send(request)
        if response.status != ACCEPTED:
            self.tokens.drop_if_refused(self.connector_id, response.status)
            asked = retry_at(response.headers.get("retry-after"), self.now())
            raise GraphRefused(compact(parsed_or_text(response.body)), response.status, asked)
        return {"envelope": mail.envelope, "accepted": mail.recipients, "rejected": []}

    async def _token(self, tenant: Tenant) -> str:
        credentials = client_credentials(
            token_url=tenant.token_url or f"{self.settings.exchange_url}/{tenant.tenant_id}/oauth2/v2.0/token",
            client_id=tenant.client_id,
            client_secret=tenant.client_secret,
            scope=self.settings.graph_scope,
        )
        if credentials is None:
            raise GraphRefused(f"Unable to retrieve access token for connectorId: {self.connector_id}")
        return await self.tokens.header(self.connector_id, credentials, self.egress, self.now)


def message_of(mail: Mail) -> JsonObject:
    return {
        "subject": mail.subject,
        "body": {"contentType": "HTML", "content": mail.html},
        "toRecipients": _people(mail.to),
        "ccRecipients": _people(mail.cc),
        "bccRecipients": _people(mail.bcc),
        **({"replyTo": _people(mail.reply_to)} if mail.reply_to else {}),
        "attachments": [
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "name": each.filename,
                "contentType": each.content_type,
                "contentBytes": base64.b64encode(each.content).decode(),
            }
            for each in mail.attachments
        ],
    }


def _people(texts: Sequence[str]) -> Sequence[Json]:
    return [{"emailAddress": {"address": address}} for address in plain_addresses(texts)]
