"""The audit log: one JSON line for each change, run, and denial; never a secret, and nothing of a connector's config.

A route says nothing for it: the operation that it requires names the event, and the objects are those of its path
unless it tells others by `Call.concerns`. The line is written once the answer is known.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from connectory.domain.json_types import JsonObject
from connectory.domain.principal import Principal
from connectory.gateway.authorization import Operation
from connectory.infra.logging import AUDIT_LOGGER, audit_entry

DENIED: Final = "access_denied"
"""The event of a 403 that came before any operation was asked for."""

_READS: Final = frozenset(
    {"connector_get", "connector_find", "space_get", "space_find", "saved_object_export", "api_key_find"}
)
_FORBIDDEN: Final = 403
_FIRST_FAILURE: Final = 400
_FIRST_DOUBT: Final = 500

Outcome: TypeAlias = Literal["success", "failure", "unknown"]

log = logging.getLogger(AUDIT_LOGGER)


class Subject(NamedTuple):
    """A saved object: what kind it is of, and its id."""

    type: str
    id: str


@dataclass(slots=True)
class Trail:
    """What a request turns out to be about, noted on its way to the answer."""

    principal: Principal | None = None
    space_id: str | None = None
    subjects: list[Subject] = field(default_factory=list)
    _expected: Operation | None = None
    _asked: Operation | None = None

    @property
    def operation(self) -> Operation | None:
        return self._asked or self._expected

    def begin(self, principal: Principal, space_id: str, expected: Operation | None) -> None:
        """`expected` stands for the operation until one is asked for."""
        self.principal, self.space_id, self._expected = principal, space_id, expected

    def ask(self, operation: Operation) -> None:
        """The first operation gives the event its name; others are conditions of it."""
        self._asked = self._asked or operation


class RequestLine(NamedTuple):
    """What was asked, without what may hold the caller's data: `path` is that of the route."""

    method: str
    path: str
    address: str | None


@dataclass(frozen=True, slots=True)
class AuditLog:
    """`reads` says whether looking is written down where it was allowed."""

    enabled: bool = True
    reads: bool = False

    def tells_of(self, trail: Trail, status: int) -> bool:
        """Whether anything is written down about a request that ended so."""
        return self.enabled and self._counts(trail.operation, status)

    def record(self, trail: Trail, status: int, asked: RequestLine, named: Sequence[Subject]) -> None:
        """Write the lines of one request, one for each object; `named` are the objects of the path."""
        event = trail.operation.event if trail.operation else DENIED
        for subject in _each_once(trail.subjects or named) or (None,):
            entry = _entry(event, _outcome(status), trail, asked, subject)
            log.info("%s: %s", event, entry["event"], extra=audit_entry(entry))

    def _counts(self, operation: Operation | None, status: int) -> bool:
        if status == _FORBIDDEN:
            return True
        return operation is not None and (self.reads or operation.event not in _READS)


def _outcome(status: int) -> Outcome:
    """What ended in a failure of ours may have had its effect all the same."""
    if status >= _FIRST_DOUBT:
        return "unknown"
    return "failure" if status >= _FIRST_FAILURE else "success"


def _entry(event: str, outcome: Outcome, trail: Trail, asked: RequestLine, subject: Subject | None) -> JsonObject:
    """With the field names of the Elastic Common Schema, as clients of Kibana's audit log know them."""
    about: JsonObject = {} if trail.space_id is None else {"space_id": trail.space_id}
    if subject is not None:
        about = {**about, "saved_object": {"type": subject.type, "id": subject.id}}
    entry: JsonObject = {
        "event": {"action": event, "outcome": outcome},
        "user": _user(trail.principal),
        "kibana": about,
        "http": {"request": {"method": asked.method}},
        "url": {"path": asked.path},
    }
    return entry if asked.address is None else {**entry, "client": {"ip": asked.address}}


def _user(principal: Principal | None) -> JsonObject:
    if principal is None:
        return {}
    user: JsonObject = {"name": principal.name, "realm": principal.realm, "roles": sorted(principal.roles)}
    if principal.api_key_id is None:
        return user
    return {**user, "api_key": {"id": principal.api_key_id, "name": principal.api_key_name}}


def _each_once(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    return tuple(dict.fromkeys(subjects))
