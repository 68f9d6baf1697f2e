"""Runs as the execution log lists them: one for each execution, made of the documents of its end."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectory.domain.json_types import JsonObject
from connectory.gateway.errors import Rejected
from connectory.gateway.event_documents.kuery import KueryInvalid, read_kuery
from connectory_projections.event_documents.asking import within
from connectory_projections.event_documents.conditions import Condition, Entry, OneOf, all_of, any_of
from connectory_projections.event_documents.fields import NESTED

RUNS: Final = "event.provider: actions AND NOT event.action: execute-start"
"""What every filter of runs is joined with."""

NANOSECONDS: Final = 1_000_000
"""In a millisecond."""

_NOT_RUN: Final[JsonObject] = {
    "timestamp": "",
    "duration_ms": 0,
    "status": "",
    "message": "",
    "version": "",
    "source": "",
    "schedule_delay_ms": 0,
    "space_ids": [],
    "connector_name": "",
    "connector_id": "",
}


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` to `end`, both included."""

    start: datetime
    end: datetime


def in_spaces(space_ids: Iterable[str]) -> Condition:
    """Runs of these spaces, and of connectors that every space has."""
    spaces = OneOf("kibana.space_ids", tuple(dict.fromkeys(space_ids)))
    return any_of([*([spaces] if spaces.values else []), Entry(OneOf(f"{NESTED}.space_agnostic", ("true",)))])


def runs(window: Window, space_ids: Iterable[str], filter_: str | None, now: datetime) -> Condition:
    """Ends of runs, also those that were cut off. A start is never one, whatever the filter lets through."""
    combined = f"{filter_} AND ({RUNS})" if filter_ else RUNS
    ends = OneOf("event.action", ("execute", "execute-timeout"))
    asked = filtered(combined, now)
    return all_of([within(window.start, window.end), in_spaces(space_ids), ends, asked])


def ended(where: Condition) -> Condition:
    """Of these runs those that came to an end of their own."""
    return all_of([where, OneOf("event.action", ("execute",))])


def filtered(text: str, now: datetime) -> Condition:
    """What a filter says. Raises `Rejected` (400)."""
    try:
        return read_kuery(text, now)
    except KueryInvalid:
        raise Rejected.bad_request(f"Invalid kuery syntax for filter {text}") from None


def execution(document: Mapping[str, Any]) -> JsonObject:
    """The item of the execution log that an end of a run makes."""
    kibana, event = document["kibana"], document["event"]
    execution_id = kibana["action"]["execution"]["uuid"]
    if event["action"] == "execute-timeout":
        return {"id": execution_id, **_NOT_RUN, "timed_out": True}
    return {
        "id": execution_id,
        "timestamp": event["start"],
        "duration_ms": _milliseconds(int(event["duration"])),
        "status": event["outcome"],
        "message": _message(document),
        "version": kibana["version"],
        "source": kibana["action"]["execution"].get("source", ""),
        "schedule_delay_ms": _milliseconds(kibana.get("task", {}).get("schedule_delay", 0)),
        "space_ids": kibana["space_ids"],
        "connector_name": kibana["action"].get("name", ""),
        "connector_id": kibana["action"]["id"],
        "timed_out": False,
    }


def _milliseconds(nanoseconds: int) -> int | float:
    """Whole ones as JSON writes them: without a fraction."""
    whole, rest = divmod(nanoseconds, NANOSECONDS)
    return nanoseconds / NANOSECONDS if rest else whole


def _message(document: Mapping[str, Any]) -> str:
    message = str(document["message"])
    if document["event"]["outcome"] != "failure":
        return message
    return f"{message} - {document.get('error', {}).get('message', '')}"
