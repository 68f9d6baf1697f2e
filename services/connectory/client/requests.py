"""Action requests as a service writes them: what it must say, what it may say, and how a file of them is read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import ActionRequest, Delivery, RunContext
from connectory.domain.spaces import DEFAULT_SPACE

MAX_ID_LENGTH = 256
"""Characters of a connector id. Over HTTP one is made with fewer; preconfigured and imported ones may have as many."""


class RequestInvalid(ConnectoryError):
    """A request that Connectory would refuse; nothing was sent. The message names the field."""

    code = "request-invalid"


class RelatedObject(BaseModel):
    """What a request is about besides its connector: a rule has the type `alert`, and its rule type as `type_id`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(min_length=1, max_length=256)
    id: str = Field(min_length=1, max_length=256)
    type_id: str | None = Field(default=None, min_length=1, max_length=256)
    namespace: str | None = Field(default=None, min_length=1, max_length=256)


class NewActionRequest(BaseModel):
    """A wish to run an action through a connector.

    `params` are those of the connector's type. The same `request_id` again within the dedupe window runs once; without
    one a random id is made. `source` says what asked, for the event log. After `expires_at` it does not run; with
    `connector_version` it runs on that version of the connector only. Requests of one connector with the same
    `ordering_key` run one after the other, retries included. `max_attempts` counts the first one too. `consumer` and
    `execution_id` say of a rule that asked whose it is and which of its executions, `related_objects` what it is about:
    the event log finds runs by them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    connector_id: str = Field(min_length=1, max_length=MAX_ID_LENGTH)
    params: dict[str, Any]
    request_id: str = Field(default_factory=lambda: str(uuid4()), min_length=1, max_length=256)
    space_id: str = Field(default=DEFAULT_SPACE, pattern=r"^[a-z0-9_-]+$")
    source: str | None = None
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    connector_version: int | None = Field(default=None, ge=1)
    expires_at: AwareDatetime | None = None
    ordering_key: str | None = Field(default=None, min_length=1, max_length=256)
    max_attempts: int | None = Field(default=None, ge=1, le=10)
    consumer: str | None = Field(default=None, min_length=1, max_length=256)
    execution_id: str | None = Field(default=None, min_length=1, max_length=256)
    related_objects: tuple[RelatedObject, ...] | None = Field(default=None, max_length=100)

    def record(self, requested_at: datetime) -> ActionRequest:
        """Return the record that goes to the topic `action-requests`."""
        return ActionRequest(
            request_id=self.request_id,
            space_id=self.space_id,
            connector_id=self.connector_id,
            params=self.params,
            requested_at=requested_at,
            source=self.source,
            delivery=self.delivery,
            connector_version=self.connector_version,
            expires_at=self.expires_at,
            ordering_key=self.ordering_key,
            max_attempts=self.max_attempts,
            context=self._context(),
        )

    def _context(self) -> RunContext | None:
        if self.consumer is None and self.execution_id is None and not self.related_objects:
            return None
        related = [each.model_dump(exclude_none=True) for each in self.related_objects or ()]
        return RunContext(
            consumer=self.consumer,
            execution_id=self.execution_id,
            related_objects=json.dumps(related, separators=(",", ":")) if related else None,
        )


def check_request(fields: Mapping[str, object]) -> NewActionRequest:
    """Make a request of what a user typed. Raises `RequestInvalid` with all problems on one line."""
    try:
        return NewActionRequest.model_validate(fields)
    except ValidationError as error:
        raise RequestInvalid(_problems(error)) from error


def read_requests(lines: Iterable[str]) -> Iterator[NewActionRequest]:
    """Read JSON lines, one request each; empty lines are passed over. Raises `RequestInvalid` with the line number."""
    for number, line in enumerate(_decoded(lines), start=1):
        if line.strip():
            yield _read_request(line, number)


def _decoded(lines: Iterable[str]) -> Iterator[str]:
    """An open file decodes as it is read, and some lines ahead: which one is at fault is not known."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise RequestInvalid(f"the requests are not {error.encoding.upper()}: write them in that encoding") from error


def _read_request(line: str, number: int) -> NewActionRequest:
    try:
        return NewActionRequest.model_validate_json(line)
    except ValidationError as error:
        raise RequestInvalid(f"line {number}: {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    """The problems on one line, without the values: params may be private."""
    return "; ".join(_problem(each["loc"], each["msg"]) for each in error.errors(include_input=False))


def _problem(location: tuple[int | str, ...], message: str) -> str:
    path = ".".join(map(str, location))
    return f"[{path}] {message}" if path else message
