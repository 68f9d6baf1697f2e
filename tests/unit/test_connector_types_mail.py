"""`.email`: what may be saved and sent, what a mail says, and where it goes."""

import base64
import json
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.mail_services import Server, find_service
from connectory.connector_types.mail_settings import MailSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.connector_types import rendered
from tests.fakes.egress import FakeEgress, responds

JSON_CONFIG = {"service": "__json", "from": "ops@a.test", "hasAuth": False}
SERVER = {"from": "ops@a.test", "host": "mail.test", "port": 25, "hasAuth": False}
EXCHANGE = {"service": "exchange_server", "from": "ops@a.test", "tenantId": "t", "clientId": "c"}
PARAMS: dict[str, Any] = {"to": ["me@a.test"], "subject": "s", "message": "m"}
TOKEN = b'{"token_type": "Bearer", "access_token": "abc", "expires_in": 3600}'


def registry(mail: MailSettings | None = None, hosts: tuple[str, ...] = ("*",)) -> TypeRegistry:
    return TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(hosts), mail=mail or MailSettings()))


async def send(
    params: dict[str, Any],
    config: dict[str, Any] = JSON_CONFIG,
    mail: MailSettings | None = None,
    egress: FakeEgress | None = None,
) -> Result:
    secrets = {"clientSecret": "secret"} if config["from"] and config.get("tenantId") else {}
    return await run_action(
        registry(mail), ".email", {**PARAMS, **params}, config=config, secrets=secrets, egress=egress
    )


async def composed(params: dict[str, Any], mail: MailSettings | None = None) -> dict[str, Any]:
    """The mail that would be sent."""
    result = await send(params, {**JSON_CONFIG, "allowHtml": True}, mail)
    assert isinstance(result, Succeeded)
    data: Any = result.data
    message: dict[str, Any] = json.loads(data["message"])
    return message


def problem_with(
    config: dict[str, Any],
    mail: MailSettings | None = None,
    hosts: tuple[str, ...] = ("*",),
    secrets: dict[str, str] | None = None,
) -> str:
    with pytest.raises(Refused) as refused:
        registry(mail, hosts).check(".email", config, secrets or {})
    return refused.value.message.removeprefix("error validating connector type config: ")


SES = MailSettings(ses=("ses.test", 465))
ENABLED = MailSettings(enabled_services=("other", "google-mail"))


@pytest.mark.parametrize(
    ("config", "mail", "hosts", "problem"),
    [
        ({"service": "ses"}, ENABLED, ["*"],
         '[service]: "amazon-ses" is not in the list of enabled email services: other,google-mail'),
        ({"from": "nobody"}, None, ["*"], "[from]: not valid emails: nobody"),
        ({}, MailSettings(domains=("b.test",)), ["*"], "[from]: not allowed emails: ops@a.test"),
        ({}, MailSettings(domains=()), ["*"], "[from]: not allowed emails: ops@a.test"),
        ({"service": "elastic_cloud", "allowHtml": True}, None, ["*"],
         '[allowHtml]: cannot be true when [service] is "elastic_cloud"'),
        ({"oauthTokenUrl": "https://t.test/x"}, None, ["mail.test"],
         "[oauthTokenUrl]: host name value for 'https://t.test/x' is not in the allowedHosts configuration"),
        ({"service": "exchange_server"}, None, ["*"], "[clientId]/[tenantId] is required"),
        ({"service": "exchange_server", "tenantId": "t"}, None, ["*"], "[clientId] is required"),
        ({"service": "exchange_server", "clientId": "c"}, None, ["*"], "[tenantId] is required"),
        ({"service": "ses"}, SES, ["*"],
         "[ses.host]/[ses.port] does not match with the configured AWS SES host/port combination"),
        ({"service": "ses", "host": "x", "port": 465}, SES, ["*"],
         "[ses.host] does not match with the configured AWS SES host"),
        ({"service": "ses", "host": "ses.test"}, SES, ["*"],
         "[ses.port] does not match with the configured AWS SES port"),
        ({"service": "ses", "host": "ses.test", "port": 465}, SES, ["*"], "[ses.secure] must be true for AWS SES"),
        ({"host": None, "port": None}, None, ["*"], "[host]/[port] is required"),
        ({"host": None}, None, ["*"], "[host] is required"),
        ({"port": None}, None, ["*"], "[port] is required"),
        ({}, None, ["other.test"], "[host] value 'mail.test' is not in the allowedHosts configuration"),
        ({"service": "pigeon"}, None, ["*"], "[service] value 'pigeon' is not valid"),
        ({"service": "gmail"}, None, ["other.test"],
         "[service] value 'gmail' resolves to host 'smtp.gmail.com' which is not in the allowedHosts configuration"),
        ({"port": 0}, None, ["*"], "✖ Too small: expected number to be >=1\n  → at port"),
    ],
)  # fmt: skip
def test_what_is_not_saved(config: dict[str, Any], mail: MailSettings | None, hosts: list[str], problem: str) -> None:
    assert problem_with({**SERVER, **config}, mail, tuple(hosts)) == problem


@pytest.mark.parametrize(
    ("config", "secrets", "problem"),
    [
        (EXCHANGE, {}, "[clientSecret] is required"),
        ({**SERVER, "hasAuth": True}, {}, "[user] is required"),
        ({**SERVER, "hasAuth": True}, {"user": "u"}, "[password] is required"),
    ],
)
def test_what_has_to_be_secret(config: dict[str, Any], secrets: dict[str, str], problem: str) -> None:
    assert problem_with(config, secrets=secrets) == f"error validating action type connector: {problem}"


def test_the_saved_config_has_the_defaults_of_the_contract() -> None:
    saved = registry().check(".email", {"from": "a@b", "host": "h", "port": "25", "hasAuth": False}, {})

    given = {"service": "other", "host": "h", "port": 25, "secure": None, "from": "a@b", "hasAuth": False}
    assert saved == given | {"tenantId": None, "clientId": None, "oauthTokenUrl": None}


@pytest.mark.parametrize(
    ("params", "mail", "problem"),
    [
        ({"to": [" "]}, None, "At least one entry in [to], [cc], or [bcc] is required"),
        ({"to": ["a@b"] * 101}, None,
         "Invalid email addresses: ✖ Too big: expected array to have <=100 items\n  → at to"),
        ({"cc": ["x" * 513]}, None,
         "Invalid email addresses: ✖ Too big: expected string to have <=512 characters\n  → at cc[0]"),
        ({"replyTo": ["a@b"] * 11}, None,
         "Invalid email addresses: ✖ Too big: expected array to have <=10 items\n  → at replyTo"),
        ({"cc": ["x", "y@"]}, None, "[to/cc/bcc]: not valid emails: x, y@"),
        ({"replyTo": ["x"]}, None, "[to/cc/bcc/replyTo]: not valid emails: x"),
        ({"bcc": ["x", "b@c.test"]}, MailSettings(domains=("A.test",)),
         "[to/cc/bcc]: not valid emails: x; not allowed emails: b@c.test"),
        ({"cc": ["list: a@a.test, b@c.test;"]}, MailSettings(domains=("a.test",)),
         "[to/cc/bcc]: not allowed emails: list: a@a.test, b@c.test;"),
        ({"cc": ["x@other.test"]}, MailSettings(recipients=("*@A.test", "ops*")),
         "[to/cc/bcc]: not allowed emails: x@other.test"),
    ],
)  # fmt: skip
async def test_params_that_do_not_fit_are_refused(
    params: dict[str, Any], mail: MailSettings | None, problem: str
) -> None:
    with pytest.raises(Refused) as refused:
        await send(params, mail=mail)

    assert refused.value.message == f"error validating action params: {problem}"


@pytest.mark.parametrize(
    ("params", "config", "problem"),
    [
        ({"cc": ["{{x}}"]}, JSON_CONFIG, "[to/cc/bcc]: not valid emails: {{x}}"),
        ({"replyTo": ["{{x}}"]}, JSON_CONFIG, "[to/cc/bcc]: not valid emails: {{x}}"),
        ({}, {**JSON_CONFIG, "from": "{{x}}"}, "[from]: not valid emails: {{x}}"),
        ({"messageHTML": "<b>"}, JSON_CONFIG,
         "HTML email can only be sent when the connector is configured to allow HTML"),
        ({"attachments": [{"content": "c", "filename": "f"}]}, JSON_CONFIG,
         "Email attachments can only be sent via notifications"),
    ],
)  # fmt: skip
async def test_what_is_found_out_when_it_is_sent(params: dict[str, Any], config: dict[str, Any], problem: str) -> None:
    assert await send(params, config) == Failed(message=problem, error_source=ErrorSource.USER)


async def test_a_mail_is_text_and_html_made_of_it() -> None:
    mail = await composed({"message": "see https://a.test <b>", "cc": ["C <c@a.test>"]})

    assert mail["text"] == "see https://a.test <b>\n\n---\n\nThis message was sent by Elastic."
    assert '<a href="https://a.test">https://a.test</a> &lt;b&gt;' in mail["html"]
    assert (mail["from"], mail["cc"]) == (
        {"address": "ops@a.test", "name": ""},
        [{"address": "c@a.test", "name": "C"}],
    )


@pytest.mark.parametrize(
    ("params", "mail", "text"),
    [
        ({"message": ""}, MailSettings(with_footer=False), "no message set"),
        ({}, MailSettings(public_base_url="https://c.test"),
         "m\n\n---\n\nThis message was sent by Elastic. [Go to Elastic](https://c.test)."),
        ({"kibanaFooterLink": {"path": "/x", "text": "Look"}}, MailSettings(public_base_url="https://c.test"),
         "m\n\n---\n\nThis message was sent by Elastic. [Look](https://c.test/x)."),
        ({"message": "12345"}, MailSettings(with_footer=False, longest_body=5),
         ("Your message's length of 5 exceeded the 5 bytes limit that is set for the connector \"c1\" and was trimmed. "
         "You can modify the limit by increasing the value specified for the xpack.actions.email.maximum_body_length "
         "setting.\n\n12345")),
    ],
)  # fmt: skip
async def test_what_is_added_to_a_message(params: dict[str, Any], mail: MailSettings, text: str) -> None:
    assert (await composed(params, mail))["text"] == text


async def test_html_that_was_given_is_sent_as_it_is() -> None:
    assert (await composed({"messageHTML": "<b>x</b>"}))["html"] == "<b>x</b>"


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("gmail", Server("smtp.gmail.com", 465, secure=True)),
        ("Google Mail", Server("smtp.gmail.com", 465, secure=True)),
        ("OUTLOOK365", Server("smtp.office365.com", 587, secure=False)),
        ("elastic_cloud", Server("dockerhost", 10025, secure=False)),
        ("ses", Server("email-smtp.us-east-1.amazonaws.com", 465, secure=True)),
        ("SES-eu-west-3", Server("email-smtp.eu-west-3.amazonaws.com", 465, secure=True)),
        ("proton", Server("smtp.protonmail.ch", 587, secure=False, require_tls=True)),
        ("Maildev", Server("localhost", 1025, secure=False, ignore_tls=True)),
        ("smtp2go", Server("mail.smtp2go.com", 2525, secure=False)),
        ("pigeon", None),
    ],
)
def test_known_services(name: str, server: Server | None) -> None:
    assert find_service(name, MailSettings()) == server


class FakeExchange(FakeEgress):
    """Gives a token, then takes the mail or does not."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__()
        self.status, self.body = status, body

    async def send(self, request: Any) -> Any:
        await super().send(request)
        is_token = request.url.endswith("/token")
        return responds(200, body=TOKEN) if is_token else responds(self.status, body=self.body)


async def test_exchange_is_given_mail_by_microsoft_graph() -> None:
    exchange = FakeExchange(202)

    result = await send({"bcc": ["B <b@a.test>"]}, EXCHANGE, MailSettings(with_footer=False), exchange)

    assert isinstance(result, Succeeded)
    token, mail = exchange.requests
    assert token.url == "https://login.microsoftonline.com/t/oauth2/v2.0/token"
    assert mail.url == "https://graph.microsoft.com/v1.0/users/ops@a.test/sendMail"
    assert mail.headers["Authorization"] == "Bearer abc"
    assert json.loads(mail.body or b"")["message"] == {
        "subject": "s",
        "body": {"contentType": "HTML", "content": "<p>m</p>\n"},
        "toRecipients": [{"emailAddress": {"address": "me@a.test"}}],
        "ccRecipients": [],
        "bccRecipients": [{"emailAddress": {"address": "b@a.test"}}],
        "attachments": [],
    }


async def test_what_exchange_refuses_is_told_and_the_users_fault() -> None:
    result = await send({}, EXCHANGE, egress=FakeExchange(403, b'{"error": "no"}'))

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error sending email", '{"error":"no"}')
    assert (result.error_source, result.status) == (ErrorSource.USER, 403)


async def test_notifications_may_bring_attachments() -> None:
    attached = [{"content": base64.b64encode(b"x").decode(), "filename": "f.png", "encoding": "base64"}]
    result = await run_action(
        registry(), ".email", {**PARAMS, "attachments": attached}, config=JSON_CONFIG, source="notification"
    )

    assert isinstance(result, Succeeded)


def test_templates_are_filled_in_each_its_way() -> None:
    params = {"to": ["{{a}}"], "subject": "{{a}}", "message": "{{a}}", "messageHTML": "{{a}}"}

    assert rendered(".email", params, {"a": "<*>"}) == {
        "to": ["<*>"],
        "subject": "<*>",
        "message": "<\\*>",
        "messageHTML": "&lt;*&gt;",
    }


async def test_a_message_of_brackets_without_ends_is_sent_as_it_is() -> None:
    mail = await composed({"message": "[" * 20_000})

    assert mail["html"].startswith("[[[")
    assert mail["html"].count("[") == 20_000


def test_a_sender_there_has_to_be() -> None:
    assert problem_with({**SERVER, "from": " "}) == "[from]: not valid emails:  "


async def test_a_domain_of_other_letters_is_sent_as_mail_servers_know_it() -> None:
    assert (await composed({"to": ["me@bücher.test"]}))["to"] == [{"address": "me@xn--bcher-kva.test", "name": ""}]
