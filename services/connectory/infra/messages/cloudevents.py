"""The headers of a record: CloudEvents 1.0 in Kafka's binary mode, and W3C trace context.

`ce_source` is `/connectory/<topic>`; together with `ce_id`, which is derived from what identifies the record, it is
the same when the record is written again. `ce_type` is the full name of the Avro record.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from connectory.infra.log import Headers

CONTENT_TYPE: Final = b"application/avro"
TRACEPARENT: Final = "traceparent"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS: Final = tuple(f".{number:03d}Z".encode() for number in range(1000))
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?"
)


def event_headers(topic: str, record_name: str, identity: str, at: datetime, traceparent: str | None) -> Headers:
    """The headers of a record. `at` is aware; `traceparent` is left out when there is none."""
    headers = (
        *_fixed_headers(topic, record_name),
        ("ce_id", identity.encode(errors="replace")),
        ("ce_time", _time(at)),
    )
    return headers if traceparent is None else (*headers, (TRACEPARENT, traceparent.encode()))


def read_traceparent(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """The W3C `traceparent` among the headers; None when there is none or it is not valid."""
    for name, value in headers:
        if name == TRACEPARENT:
            text = value.decode("latin-1")
            return text if trace_id_of(text) else None
    return None


def trace_id_of(traceparent: str) -> str | None:
    """The trace id, 32 hexadecimal digits; None when the text is not a valid `traceparent`."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or (match["version"] == "00" and match["more"]):
        return None
    return match["trace_id"]


def _time(at: datetime) -> bytes:
    """ISO 8601 in UTC with milliseconds. Records come by the thousand a second, so the text of the second is kept."""
    since = at - _EPOCH
    return _second(since.days * 86_400 + since.seconds) + _MILLISECONDS[since.microseconds // 1000]


@lru_cache(maxsize=64)
def _second(number: int) -> bytes:
    return (_EPOCH + timedelta(seconds=number)).isoformat().removesuffix("+00:00").encode()


@lru_cache(maxsize=256)
def _fixed_headers(topic: str, record_name: str) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", record_name.encode()),
        ("ce_source", f"/connectory/{topic}".encode()),
        ("content-type", CONTENT_TYPE),
    )
