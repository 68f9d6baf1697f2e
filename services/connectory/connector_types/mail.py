"""`.email`: sends mail through a mail server, a known service, or Exchange."""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from mimetypes import guess_type
from typing import Final

from connectory.connector_types.contract import (
    ConnectorType,
    EgressFailed,
    EgressRefused,
    MailServer,
    Render,
    Run,
    TypeExample,
)
from connectory.connector_types.mail_addresses import problem_with_sender
from connectory.connector_types.mail_config import Config, Secrets, check_config, check_connector, server_of
from connectory.connector_types.mail_content import FooterLink, content_of
from connectory.connector_types.mail_graph import Graph, GraphRefused, Tenant
from connectory.connector_types.mail_params import AttachedFile, Params, check_params, problem_with_recipients
from connectory.connector_types.mail_services import (
    ELASTIC_CLOUD_SERVICE,
    EXCHANGE_SERVICE,
    JSON_SERVICE,
    OTHER_SERVICE,
    Server,
)
from connectory.connector_types.mail_transport import Attachment, Login, Mail, MailRefused, hand_over, shown
from connectory.connector_types.oauth import TokenRefused
from connectory.connector_types.templating import render_object
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import Json, JsonObject
from connectory.domain.retry import DECLINED_STATUSES

NOTIFICATION: Final = "notification"
"""The source of mails that Connectory sends on its own account."""

FAILED: Final = "error sending email"

MailRun = Run[Config, Secrets, Params]


def render_params(params: JsonObject, render: Render) -> JsonObject:
    rendered = dict(render_object(params, render))
    message, html = params.get("message"), params.get("messageHTML")
    if isinstance(message, str):
        rendered["message"] = render(message, "markdown")
    if isinstance(html, str):
        rendered["messageHTML"] = render(html, "html")
    return rendered


async def execute(run: MailRun) -> Result:
    problem = _problem_with(run)
    if problem is not None:
        return Failed(message=problem)
    try:
        return Succeeded(data=await _send(run, await _mail(run)))
    except EgressFailed as failure:
        return Failed(
            message=FAILED,
            service_message=failure.message,
            retry=False if isinstance(failure, EgressRefused) else None,
            reason=failure.code,
            undelivered=failure.undelivered,
        )
    except GraphRefused as error:
        return Failed(
            message=FAILED,
            service_message=error.message,
            status=error.status,
            undelivered=error.status in DECLINED_STATUSES,
            retry_after=error.retry_after,
        )
    except (MailRefused, TokenRefused, ValueError) as error:
        return Failed(message=FAILED, service_message=str(error))


def _problem_with(run: MailRun) -> str | None:
    """What could not be told before the templates were filled in, or is not for everybody to ask for."""
    settings, params = run.settings.mail, run.params
    if problem := problem_with_recipients(params, settings, templates_pass=False):
        return f"[to/cc/bcc]: {problem}"
    if problem := problem_with_sender(run.config.sender, settings, templates_pass=False):
        return f"[from]: {problem}"
    if params.message_html is not None and not run.config.allow_html:
        return "HTML email can only be sent when the connector is configured to allow HTML"
    if params.attachments and run.source != NOTIFICATION:
        return "Email attachments can only be sent via notifications"
    return None


async def _send(run: MailRun, mail: Mail) -> Json:
    config, secrets = run.config, run.secrets
    if config.service == JSON_SERVICE:
        return shown(mail)
    if config.service == EXCHANGE_SERVICE:
        return await _graph(run).hand_over(_tenant(config, secrets), mail)
    server = server_of(config, run.settings.mail)
    if server is None:
        raise ValueError(f"the service '{config.service}' has no server")
    target = MailServer(host=server.host, port=server.port, unchecked=_has_nothing_to_lose(config, secrets, server))
    return await hand_over(run.egress, target, server, _login(config, secrets), mail)


def _has_nothing_to_lose(config: Config, secrets: Secrets, server: Server) -> bool:
    """A server of one's own, without TLS from the start and without a user: its certificate is not checked."""
    own = config.service in (OTHER_SERVICE, ELASTIC_CLOUD_SERVICE)
    return own and not server.secure and secrets.user is None and secrets.password is None


def _graph(run: MailRun) -> Graph:
    return Graph(
        egress=run.egress,
        tokens=run.tokens,
        now=run.now,
        connector_id=run.connector_id,
        settings=run.settings.mail,
    )


def _tenant(config: Config, secrets: Secrets) -> Tenant:
    return Tenant(
        tenant_id=config.tenant_id or "",
        client_id=config.client_id or "",
        client_secret=secrets.client_secret or "",
        token_url=config.oauth_token_url,
    )


def _login(config: Config, secrets: Secrets) -> Login | None:
    if not config.has_auth or secrets.user is None or secrets.password is None:
        return None
    return Login(user=secrets.user, password=secrets.password)


async def _mail(run: MailRun) -> Mail:
    params = run.params
    link = FooterLink(path=params.kibana_footer_link.path, text=params.kibana_footer_link.text)
    # On a thread, because a long message takes seconds.
    content = await asyncio.to_thread(
        content_of, params.message, params.message_html, link, run.connector_id, run.settings.mail
    )
    return Mail(
        sender=run.config.sender,
        to=_filled(params.to),
        cc=_filled(params.cc),
        bcc=_filled(params.bcc),
        reply_to=_filled(params.reply_to or ()),
        subject=params.subject,
        text=content.text,
        html=content.html,
        attachments=[_attachment(each) for each in params.attachments or ()],
    )


def _filled(entries: Sequence[str]) -> list[str]:
    return [entry for entry in entries if entry.strip()]


def _attachment(attached: AttachedFile) -> Attachment:
    """Raises ValueError when the content is not in its encoding."""
    content_type = attached.content_type or guess_type(attached.filename)[0] or "application/octet-stream"
    return Attachment(filename=attached.filename, content_type=content_type, content=_decoded(attached))


def _decoded(attached: AttachedFile) -> bytes:
    if attached.encoding != "base64":
        return attached.content.encode(errors="replace")
    try:
        return base64.b64decode(attached.content, validate=True)
    except binascii.Error as error:
        raise ValueError(f"the attachment {attached.filename} is not in base64: {error}") from None


EMAIL = ConnectorType(
    id=".email",
    name="Email",
    minimum_license="gold",
    feature_ids=("alerting", "uptime", "siem", "workflows", "agentBuilder"),
    config=Config,
    secrets=Secrets,
    params=Params,
    execute=execute,
    check_config=check_config,
    check_connector=check_connector,
    check_params=check_params,
    render_params=render_params,
    example=TypeExample(
        config={"service": "gmail", "from": "ops@example.com"},
        secrets={"user": "ops@example.com", "password": "made-up-password"},
        params={"to": ["team@example.com"], "subject": "Disk almost full", "message": "**97 %** of /var are used."},
    ),
)
