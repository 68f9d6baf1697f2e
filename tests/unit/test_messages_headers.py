"""The headers of records: CloudEvents in binary mode, and trace context."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.domain.commands import DeleteConnector
from connectory.domain.dead_letters import DeadLetter
from connectory.domain.errors import Unencodable
from connectory.domain.events import ConnectorDeleted
from connectory.infra.messages import Messages, read_traceparent, trace_id_of
from connectory.infra.messages.records import RECORDS
from tests.records import records_of

MESSAGES = Messages()
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
DELETION = DeleteConnector(command_id="m1", connector_id="c1", space_id="default", at=NOON, by=None)


def headers_of(record: object, topic: str = "connector-commands") -> dict[str, bytes]:
    return dict(MESSAGES.message(topic, "c1", record, at=NOON).headers)


def test_a_message_has_the_headers_of_a_cloudevent() -> None:
    assert headers_of(DELETION) == {
        "ce_specversion": b"1.0",
        "ce_type": b"connectory.DeleteConnector",
        "ce_source": b"/connectory/connector-commands",
        "ce_id": b"m1",
        "ce_time": b"2026-11-24T12:00:00.000Z",
        "content-type": b"application/avro",
    }


@given(at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))])).filter(lambda at: at.year > 1))
def test_the_time_of_a_cloudevent_is_in_utc_with_milliseconds(at: datetime) -> None:
    written = dict(MESSAGES.message("connector-commands", "c1", DELETION, at=at).headers)["ce_time"].decode()
    assert written.endswith("Z")
    assert datetime.fromisoformat(written) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_a_message_is_addressed_as_asked() -> None:
    message = MESSAGES.message("connector-commands", "c1", DELETION, at=NOON, partition=3)
    assert (message.topic, message.key, message.partition) == ("connector-commands", b"c1", 3)
    assert MESSAGES.decode(message.value, DeleteConnector) == DELETION


def test_a_message_may_have_no_key() -> None:
    assert MESSAGES.message("replies", None, DELETION, at=NOON).key is None


def test_a_key_that_is_not_unicode_is_not_written() -> None:
    with pytest.raises(Unencodable, match="Cannot write the key"):
        MESSAGES.message("connector-commands", "\ud800", DELETION, at=NOON)


@pytest.mark.parametrize("type_", [record.type for record in RECORDS])
@settings(max_examples=5)
@given(data=st.data())
def test_the_same_record_written_again_has_the_same_id(type_: type, data: st.DataObject) -> None:
    record = data.draw(records_of(type_))
    again: object = MESSAGES.decode(MESSAGES.encode(record), type_)
    assert headers_of(record)["ce_id"] == headers_of(again)["ce_id"]


def test_a_connector_created_again_under_its_id_does_not_repeat_event_ids() -> None:
    def deleted(command_id: str) -> ConnectorDeleted:
        return ConnectorDeleted(
            connector_id="c1", space_id="default", version=2, at=NOON, by=None, command_id=command_id
        )

    assert headers_of(deleted("m1"))["ce_id"] != headers_of(deleted("m2"))["ce_id"]


def test_a_dead_letter_is_identified_by_the_place_of_the_record() -> None:
    letter = DeadLetter(
        topic="action-requests",
        partition=2,
        offset=7,
        reason="undecodable",
        message="no",
        at=NOON,
        key=None,
        value=b"x",
        headers=(),
    )
    assert headers_of(letter)["ce_id"] == b"action-requests/2/7"


def test_the_traceparent_is_carried() -> None:
    headers = MESSAGES.message("action-requests", "c1", DELETION, at=NOON, traceparent=TRACEPARENT).headers
    assert read_traceparent(headers) == TRACEPARENT


def test_without_a_traceparent_there_is_none_to_read() -> None:
    assert read_traceparent(MESSAGES.message("action-requests", "c1", DELETION, at=NOON).headers) is None


@pytest.mark.parametrize("text", [TRACEPARENT, f"01-{TRACE_ID}-00f067aa0ba902b7-00-what-may-come"])
def test_the_trace_id_of_a_valid_traceparent_is_read(text: str) -> None:
    assert trace_id_of(text) == TRACE_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRACEPARENT.upper(),
        f"{TRACEPARENT}\n",
        f"{TRACEPARENT}-more",
        f"ff-{TRACE_ID}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
    ],
)
def test_an_invalid_traceparent_is_as_good_as_none(text: str) -> None:
    assert trace_id_of(text) is None
    assert read_traceparent([("traceparent", text.encode())]) is None
