"""What is said of a single mail: schemas, limits and checks of its params."""

from typing import Annotated, Final

from annotated_types import MaxLen
from pydantic import ConfigDict, Field, ValidationError

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.mail_addresses import problem_with_addresses
from connectory.connector_types.mail_settings import MailSettings
from connectory.connector_types.schema_texts import detail
from connectory.connector_types.schemas import Absentable, Schema, about

MOST_RECIPIENTS: Final = 100
MOST_REPLY_TO: Final = 10
LONGEST_ENTRY: Final = 512


class Link(Schema):
    path: str = "/"
    text: str = "Go to Elastic"


class AttachedFile(Schema):
    """`encoding` is that of the content: `base64`, or that of its text."""

    content: str
    filename: str
    content_type: Absentable[str] = None
    encoding: Absentable[str] = None


class Params(Schema):
    to: Annotated[list[str], about("To")] = Field(default_factory=list)
    cc: Annotated[list[str], about("Cc")] = Field(default_factory=list)
    bcc: Annotated[list[str], about("Bcc")] = Field(default_factory=list)
    reply_to: Annotated[Absentable[list[str]], about("Reply to")] = None
    subject: Annotated[str, about("Subject")]
    message: Annotated[str, about("Message", "Markdown", widget="multiline")]
    message_html: Annotated[str | None, about("HTML message", widget="multiline")] = Field(None, alias="messageHTML")
    kibana_footer_link: Annotated[Link, about("Footer link")] = Field(default_factory=Link)
    attachments: Annotated[Absentable[list[AttachedFile]], about("Attachments")] = None

    @property
    def recipients(self) -> list[str]:
        return [*self.to, *self.cc, *self.bcc]


Entry = Annotated[str, MaxLen(LONGEST_ENTRY)]


class Limits(Schema):
    """Checked after the rest of the params, and worded otherwise."""

    model_config = ConfigDict(extra="ignore")

    to: Annotated[list[Entry], MaxLen(MOST_RECIPIENTS)]
    cc: Annotated[list[Entry], MaxLen(MOST_RECIPIENTS)]
    bcc: Annotated[list[Entry], MaxLen(MOST_RECIPIENTS)]
    reply_to: Absentable[Annotated[list[Entry], MaxLen(MOST_REPLY_TO)]] = None


def check_params(params: Params, settings: TypeSettings) -> str | None:
    if not any(entry.strip() for entry in params.recipients):
        return "At least one entry in [to], [cc], or [bcc] is required"
    if problem := _beyond_limits(params):
        return problem
    problem = problem_with_recipients(params, settings.mail, templates_pass=True)
    where = "to/cc/bcc" if params.reply_to is None else "to/cc/bcc/replyTo"
    return f"[{where}]: {problem}" if problem else None


def problem_with_recipients(params: Params, settings: MailSettings, *, templates_pass: bool) -> str | None:
    """Of those to reply to as well; where it is found is for the caller to say."""
    recipients = [*params.recipients, *(params.reply_to or ())]
    return problem_with_addresses(settings, recipients=recipients, templates_pass=templates_pass)


def _beyond_limits(params: Params) -> str | None:
    try:
        Limits.model_validate(params.model_dump(by_alias=True, exclude_none=True))
    except ValidationError as error:
        return f"Invalid email addresses: {detail(error, Limits)}"
    return None
