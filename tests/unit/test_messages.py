"""Records ↔ dataclasses: nothing is lost on the way, and whatever is not a record is said to be so."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.domain.commands import ConnectorCommand, CreateConnector, DeleteConnector
from connectory.domain.connector import Active
from connectory.domain.errors import Undecodable, Unencodable
from connectory.domain.events import ConnectorCreated, ConnectorRestored, ConnectorUpdated, SecretsRewrapped
from connectory.domain.execution import Action, ActionRequest, Outcome, RequestPosition
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import SealedSecrets, WrappedKey
from connectory.infra.messages import Messages
from connectory.infra.messages.json_text import read_json, write_json
from connectory.infra.messages.records import RECORDS
from connectory_schemas.codec import Codec
from connectory_schemas.registry import bundled_schemas
from tests.records import records_of

MESSAGES = Messages()
NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
REQUEST_SUBJECT = "connectory.ActionRequest"
EVENTS_WITH_SECRETS = (ConnectorCreated, ConnectorUpdated, ConnectorRestored, SecretsRewrapped)


def a_request(params: JsonObject) -> ActionRequest:
    return ActionRequest(request_id="r1", space_id="default", connector_id="c1", params=params, requested_at=NOON)


def an_outcome(message: str) -> Outcome:
    return Outcome(
        execution_id="e1",
        request_id="r1",
        space_id="default",
        connector_id="c1",
        action=Action.EXECUTE,
        at=NOON,
        started_at=NOON,
        position=RequestPosition(topic="action-requests", partition=1, offset=2),
        final=True,
        attempt=1,
        message=message,
    )


def foreign_request(**fields: object) -> bytes:
    """A request as a producer of another language may write it."""
    required = {"request_id": "r1", "space_id": "default", "connector_id": "c1", "params": "{}", "requested_at": NOON}
    return Codec(bundled_schemas()).encode(REQUEST_SUBJECT, required | fields)


def without_wrapped_key(record: Any) -> Any:
    """What is published of an event."""
    if isinstance(record, EVENTS_WITH_SECRETS):
        return replace(record, secrets=SealedSecrets(record.secrets.ciphertexts))
    return record


@pytest.mark.parametrize("type_", [record.type for record in RECORDS])
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_encoded_is_decoded_to_the_same(type_: type, data: st.DataObject) -> None:
    record = data.draw(records_of(type_))
    assert MESSAGES.decode(MESSAGES.encode(record), type_) == without_wrapped_key(record)


@pytest.mark.parametrize("type_", EVENTS_WITH_SECRETS)
@settings(max_examples=5)
@given(data=st.data())
def test_an_event_never_carries_the_wrapped_key(type_: type, data: st.DataObject) -> None:
    marked = SealedSecrets({"token": b"ciphertext"}, WrappedKey("k1", b"the wrapped data key"))
    encoded = MESSAGES.encode(replace(data.draw(records_of(type_)), secrets=marked))
    assert b"ciphertext" in encoded
    assert b"the wrapped data key" not in encoded


@pytest.mark.parametrize("type_", [CreateConnector, Active])
@settings(max_examples=5)
@given(data=st.data())
def test_commands_and_state_carry_the_wrapped_key(type_: type, data: st.DataObject) -> None:
    marked = SealedSecrets({"token": b"ciphertext"}, WrappedKey("k1", b"the wrapped data key"))
    record = replace(data.draw(records_of(type_)), secrets=marked)
    assert MESSAGES.decode(MESSAGES.encode(record), type_).secrets == marked


def test_a_foreign_producer_gives_five_fields_and_gets_the_defaults() -> None:
    assert MESSAGES.decode(foreign_request(), ActionRequest) == a_request({})


def test_a_record_of_one_of_several_expected_types_is_returned() -> None:
    command = DeleteConnector(command_id="m1", connector_id="c1", space_id="default", at=NOON, by=None)
    expected: tuple[type[ConnectorCommand], ...] = (CreateConnector, DeleteConnector)
    assert MESSAGES.decode(MESSAGES.encode(command), *expected) == command


def test_a_record_of_another_type_is_refused_with_both_names() -> None:
    with pytest.raises(Undecodable, match=r"^Expected ActionOutcome, got ActionRequest$"):
        MESSAGES.decode(foreign_request(), Outcome)


def test_a_record_without_a_value_is_refused() -> None:
    with pytest.raises(Undecodable, match="no value"):
        MESSAGES.decode(None, ActionRequest)


@given(value=st.binary(max_size=80))
def test_random_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(Undecodable):
        MESSAGES.decode(value, DeleteConnector)


@settings(max_examples=300)
@given(body=st.binary(max_size=200), schema=st.sampled_from(list(bundled_schemas())))
def test_a_random_body_is_a_record_or_is_refused(body: bytes, schema: Any) -> None:
    types = [record.type for record in RECORDS]
    with suppress(Undecodable):
        MESSAGES.decode(b"\0" + schema.id.to_bytes(4, "big") + body, *types)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "params: Expecting property name"),
        ("", "params: Expecting value"),
        ("[1]", "params: expected a JSON object, got a list"),
        ("null", "params: expected a JSON object, got null"),
        ('{"a":NaN}', "params: NaN is not JSON"),
        ('{"a":-Infinity}', "params: -Infinity is not JSON"),
        ('{"a":1e999}', "params: the number 1e999 is too large"),
        ('{"a":' * 200 + "1" + "}" * 200, "params: JSON is nested deeper than 100 levels"),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "params: JSON is nested deeper than 100 levels"),
        ('{"a":' + "1" * 5000 + "}", "params: Exceeds the limit"),
    ],
    ids=lambda text: text[:24],
)
def test_params_that_are_not_a_json_object_are_refused(text: str, reason: str) -> None:
    with pytest.raises(Undecodable) as refusal:
        MESSAGES.decode(foreign_request(params=text), ActionRequest)
    assert refusal.value.message.startswith(f"Not a valid ActionRequest: {reason}")


def test_a_word_outside_its_set_is_refused_with_the_words_that_are_known() -> None:
    with pytest.raises(Undecodable, match="delivery: 'twice' is none of at_least_once, at_most_once"):
        MESSAGES.decode(foreign_request(delivery="twice"), ActionRequest)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_no_words_for_is_not_written(number: float) -> None:
    with pytest.raises(Unencodable, match="Cannot write ActionRequest"):
        MESSAGES.encode(a_request({"a": number}))


def test_the_nesting_that_may_be_written_is_the_nesting_that_can_be_read() -> None:
    def nested(levels: int) -> JsonObject:
        return {"a": nested(levels - 1)} if levels > 1 else {}

    deepest = a_request(nested(100))
    assert MESSAGES.decode(MESSAGES.encode(deepest), ActionRequest) == deepest
    with pytest.raises(Unencodable, match="nested deeper than 100 levels"):
        MESSAGES.encode(a_request(nested(101)))


def test_many_objects_side_by_side_are_not_deep() -> None:
    wide = a_request({"items": [{"text": "[[[["} for _ in range(500)]})
    assert MESSAGES.decode(MESSAGES.encode(wide), ActionRequest) == wide


def test_a_number_out_of_range_is_not_written() -> None:
    with pytest.raises(Unencodable, match="Cannot write ActionRequest"):
        MESSAGES.encode(replace(a_request({}), reply_partition=2**40))


def test_a_lone_surrogate_in_a_text_does_not_keep_an_outcome_from_being_recorded() -> None:
    decoded = MESSAGES.decode(MESSAGES.encode(an_outcome("half \ud83d a pair")), Outcome)
    assert decoded.message == "half \ufffd a pair"


def test_times_keep_their_microseconds() -> None:
    assert MESSAGES.decode(MESSAGES.encode(a_request({})), ActionRequest).requested_at == NOON


def test_characters_beyond_ascii_take_no_more_room_than_in_utf_8() -> None:
    assert write_json({"body": "ü€😀"}) == '{"body":"ü€😀"}'


def test_a_lone_surrogate_is_carried_as_an_escape() -> None:
    text = write_json({"body": "ü\ud800"})
    assert text == '{"body":"\\u00fc\\ud800"}'
    assert read_json(text) == {"body": "ü\ud800"}
