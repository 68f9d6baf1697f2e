"""The fields of documents: of which kind each is, and where in the table it stands.

This is the one place that says so: conditions, sorts and the reference page go by it. What depends on the kind of the
event stands in `when`: a document without the field meets no condition on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectory.domain.spaces import DEFAULT_SPACE

NESTED: Final = "kibana.saved_objects"
"""The one field whose entries are searched one by one."""

PROVIDER: Final = "actions"
KIND: Final = "action"
ECS_VERSION: Final = "1.8.0"
KIBANA_VERSION: Final = "9.3.0"
PRIMARY: Final = "primary"
CONNECTOR: Final = "action"
UNAUTHORIZED: Final = "unauthorized"


class Kind(StrEnum):
    """`KEYWORD` is compared as a whole, `TEXT` by its words."""

    KEYWORD = "keyword"
    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`sql` is an expression over the table; a constant one has `constant` instead.

    `rare`: for values that are not among `common`, a condition that an index of the exceptions has.
    """

    name: str
    kind: Kind = Kind.KEYWORD
    sql: str = "NULL"
    when: str = ""
    constant: str | None = None
    always: bool = False
    common: frozenset[str] = frozenset()
    rare: str = ""


_START: Final = "COALESCE(started_at, at)"
_RUN: Final = "action IN ('execute-start', 'execute')"
_END: Final = "action = 'execute'"
_FAILED: Final = "action = 'execute' AND outcome <> 'success'"

VISIBLE: Final = (
    "(action IN ('execute-start', 'execute-timeout')"
    " OR action = 'execute' AND outcome IN ('success', 'failure')"
    f" AND (started_at IS NOT NULL OR reason = '{UNAUTHORIZED}'))"
)
"""Which rows are documents: what began, what ended after it had begun, and what was cut off at its time limit. A run
that its requester was not allowed is found out by the run itself: it has an end that is also its start.
"""

_NAMESPACE: Final = f"NULLIF(space_id, '{DEFAULT_SPACE}')"


def _nanoseconds(since: str, until: str) -> str:
    return f"GREATEST(extract(epoch FROM {until} - {since}) * 1000000, 0)::bigint * 1000"


def _detail(name: str, path: str, when: str) -> Field:
    return Field(name=name, sql=f"(details ->> '{path}')", when=when)


def _tokens(name: str) -> Field:
    path = f"kibana.action.execution.gen_ai.usage.{name}"
    return Field(name=path, kind=Kind.NUMBER, sql=f"(details -> 'tokens' ->> '{name}')::bigint", when=_END)


def _constant(name: str, value: str) -> Field:
    return Field(name=name, constant=value, always=True)


_FIELDS: Final = (
    Field(name="@timestamp", kind=Kind.DATE, sql="at", always=True),
    _constant("ecs.version", ECS_VERSION),
    _constant("event.provider", PROVIDER),
    _constant("event.kind", KIND),
    Field(
        name="event.action",
        sql="action",
        always=True,
        common=frozenset({"execute-start", "execute"}),
        rare="action NOT IN ('execute-start', 'execute')",
    ),
    Field(name="event.start", kind=Kind.DATE, sql=_START, when=_RUN),
    Field(name="event.end", kind=Kind.DATE, sql="at", when=_END),
    Field(name="event.duration", kind=Kind.NUMBER, sql=_nanoseconds(_START, "at"), when=_END),
    Field(name="event.outcome", sql="outcome", when=_END, common=frozenset({"success"}), rare="outcome <> 'success'"),
    Field(name="message", kind=Kind.TEXT, sql="message", always=True),
    Field(name="error.message", kind=Kind.TEXT, sql="error", when=_FAILED),
    Field(name="user.name", sql="requested_by", when=_END),
    _detail("kibana.user_api_key.id", "api_key_id", _END),
    _detail("kibana.user_api_key.name", "api_key_name", _END),
    Field(name="kibana.server_uuid", always=True),
    _constant("kibana.version", KIBANA_VERSION),
    Field(name="kibana.space_ids", sql="space_id", always=True),
    Field(name="kibana.action.id", sql="connector_id", always=True),
    Field(name="kibana.action.type_id", sql="connector_type_id"),
    Field(name="kibana.action.name", sql="connector_name", when=_RUN),
    Field(name="kibana.action.execution.uuid", sql="execution_id", always=True),
    Field(name="kibana.action.execution.source", sql="source"),
    Field(
        name="kibana.action.execution.usage.request_body_bytes",
        kind=Kind.NUMBER,
        sql="COALESCE(request_body_bytes, 0)",
        when=_END,
    ),
    _tokens("prompt_tokens"),
    _tokens("completion_tokens"),
    _tokens("total_tokens"),
    Field(name="kibana.task.scheduled", kind=Kind.DATE, sql="scheduled_at", when=_RUN),
    Field(
        name="kibana.task.schedule_delay",
        kind=Kind.NUMBER,
        sql=f"CASE WHEN scheduled_at IS NOT NULL THEN {_nanoseconds('scheduled_at', _START)} END",
        when=_RUN,
    ),
    _detail("kibana.alert.rule.consumer", "consumer", ""),
    _detail("kibana.alert.rule.execution.uuid", "execution_id", ""),
    _detail("kibana.alert.rule.rule_type_id", "rule_type_id", ""),
)

_FIRST: Final = (
    _constant(f"{NESTED}.rel", PRIMARY),
    _constant(f"{NESTED}.type", CONNECTOR),
    Field(name=f"{NESTED}.id", sql="connector_id", always=True),
    Field(name=f"{NESTED}.type_id", sql="connector_type_id"),
    Field(name=f"{NESTED}.namespace", sql=_NAMESPACE),
    Field(name=f"{NESTED}.space_agnostic", kind=Kind.BOOLEAN, sql="in_memory"),
)

_RELATED: Final = (
    _constant(f"{NESTED}.rel", PRIMARY),
    Field(name=f"{NESTED}.type", sql="(entry ->> 'type')", always=True),
    Field(name=f"{NESTED}.id", sql="(entry ->> 'id')", always=True),
    Field(name=f"{NESTED}.type_id", sql="(entry ->> 'type_id')"),
    Field(name=f"{NESTED}.namespace", sql="(entry ->> 'namespace')"),
)


def _by_name(fields: Iterable[Field]) -> Mapping[str, Field]:
    return {field.name: field for field in fields}


FIELDS: Final = _by_name(_FIELDS)
FIRST_ENTRY: Final = _by_name(_FIRST)
"""The entry of the connector itself, which every document has."""

RELATED_ENTRY: Final = _by_name(_RELATED)
"""An entry of `details -> 'related'`, which is named `entry`."""
