"""Mail services that are known by name: where their servers are."""

import re
from typing import Final, NamedTuple

from connectory.connector_types.mail_settings import MailSettings

SECURE_PORT: Final = 465
SUBMISSION_PORT: Final = 587
JSON_SERVICE: Final = "__json"
EXCHANGE_SERVICE: Final = "exchange_server"
OTHER_SERVICE: Final = "other"
SES_SERVICE: Final = "ses"
ELASTIC_CLOUD_SERVICE: Final = "elastic_cloud"


class Server(NamedTuple):
    """`secure`: TLS from the start. `require_tls` and `ignore_tls` are about STARTTLS; None: if it is offered."""

    host: str
    port: int
    secure: bool
    require_tls: bool | None = None
    ignore_tls: bool | None = None


def find_service(name: str, settings: MailSettings) -> Server | None:
    """The server of a service; None for a name that nobody knows. Case and punctuation do not matter."""
    if name == ELASTIC_CLOUD_SERVICE:
        return Server("dockerhost", 10025, secure=False)
    if name == SES_SERVICE and settings.ses is not None:
        return Server(*settings.ses, secure=True)
    return _KNOWN.get(_plain(name))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "", name.lower())


def _at(port: int, secure: bool, *entries: str, require_tls: bool | None = None) -> dict[str, Server]:
    """Each entry is `name/alias/… host`."""
    known: dict[str, Server] = {}
    for entry in entries:
        names, _, host = entry.rpartition(" ")
        server = Server(host, port, secure, require_tls)
        known |= {_plain(name): server for name in names.split("/")}
    return known


_REGIONS: Final = (
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"),
    *("us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2"),
)

_KNOWN: Final[dict[str, Server]] = {
    **_at(
        SECURE_PORT,
        True,
        "1und1/1und1.de/hosting-smtp.1und1.de/hosting.1und1.de smtp.1und1.de",
        "126/126.com smtp.126.com",
        "163/163.com smtp.163.com",
        "Aliyun/aliyun.com smtp.aliyun.com",
        "AliyunQiye smtp.qiye.aliyun.com",
        "Aruba/Aruba PEC/aruba.it/pec.aruba.it smtps.aruba.it",
        "ElasticEmail smtp.elasticemail.com",
        "FastMail/fastmail.fm smtp.fastmail.com",
        "Feishu Mail/feishu.cn smtp.feishu.cn",
        "Forward Email/FE/forwardemail.net smtp.forwardemail.net",
        "Gmail/Google Mail/gmail.com/googlemail.com smtp.gmail.com",
        "KolabNow/Kolab/kolabnow.com smtp.kolabnow.com",
        "Mail.ru smtp.mail.ru",
        "Mailgun smtp.mailgun.org",
        "One/one.com send.one.com",
        "OpenMailBox/OMB/openmailbox.org smtp.openmailbox.org",
        "qiye.aliyun smtp.mxhichina.com",
        "QQ/qq.com smtp.qq.com",
        "QQex smtp.exmail.qq.com",
        "Resend/resend.com smtp.resend.com",
        "Runbox/runbox.com smtp.runbox.com",
        "SendPulse smtp-pulse.com",
        "SES email-smtp.us-east-1.amazonaws.com",
        "Seznam/seznam.cz/email.cz/post.cz/spoluzaci.cz smtp.seznam.cz",
        "Tutanota/tutanota.com smtp.tutanota.com",
        "Yahoo/yahoo.com smtp.mail.yahoo.com",
        "Yandex/yandex.ru smtp.yandex.ru",
        "Zoho smtp.zoho.com",
        "Bluewin/bluewin.ch smtpauths.bluewin.ch",
        "Loopia mailcluster.loopia.se",
        *(f"SES-{region.upper()} email-smtp.{region}.amazonaws.com" for region in _REGIONS),
    ),
    **_at(
        SUBMISSION_PORT,
        False,
        "AOL/aol.com smtp.aol.com",
        "Ethereal/ethereal.email smtp.ethereal.email",
        "GandiMail/Gandi mail.gandi.net",
        "GMX/gmx.com/gmx.net mail.gmx.com",
        "Hotmail/Outlook/Outlook.com/hotmail.com smtp-mail.outlook.com",
        "iCloud/Me/Mac/me.com/mac.com smtp.mail.me.com",
        "Infomaniak/infomaniak.com smtp.infomaniak.com",
        "Loops smtp.loops.so",
        "MailerSend smtp.mailersend.net",
        "Mailjet in.mailjet.com",
        "Mailtrap live.smtp.mailtrap.io",
        "Mandrill smtp.mandrillapp.com",
        "Naver smtp.naver.com",
        "OhMySMTP smtp.ohmysmtp.com",
        "Outlook365 smtp.office365.com",
        "SendGrid smtp.sendgrid.net",
        "SendinBlue/Brevo smtp-relay.brevo.com",
        "Sparkpost/sparkpostmail.com smtp.sparkpostmail.com",
        "Tipimail smtp.tipimail.com",
        "hot.ee mail.hot.ee",
        "mail.ee smtp.mail.ee",
    ),
    **_at(
        25,
        False,
        "DebugMail debugmail.io",
        "DynectEmail/Dynect smtp.dynect.net",
        "Godaddy smtpout.secureserver.net",
        "GodaddyAsia smtp.asia.secureserver.net",
        "GodaddyEurope smtp.europe.secureserver.net",
        "Mailosaur mailosaur.io",
    ),
    **_at(
        2525,
        False,
        "Mailcatch.app sandbox-smtp.mailcatch.app",
        "Postmark/PostmarkApp smtp.postmarkapp.com",
        "SendCloud smtp.sendcloud.net",
        "SMTP2GO mail.smtp2go.com",
    ),
    **_at(
        SUBMISSION_PORT,
        False,
        "BOL/bol.com.br smtp.bol.com.br",
        "Proton/ProtonMail/proton.me/protonmail.com/protonmail.ch smtp.protonmail.ch",
        "Zimbra smtp.zimbra.com",
        require_tls=True,
    ),
    **_at(SUBMISSION_PORT, True, "Disroot/disroot.org smtp.disroot.org"),
    "maildev": Server("localhost", 1025, secure=False, ignore_tls=True),
}
