"""What the client library hands over, as records of ours."""

from typing import Any

from connectory.infra.kafka.library import ConsumerRecord
from connectory.infra.kafka.tail import records_of


def consumed(**changes: Any) -> Any:
    fields: dict[str, Any] = dict.fromkeys(ConsumerRecord.__dataclass_fields__)
    return ConsumerRecord(**{**fields, "offset": 7, "headers": (), **changes})


def test_a_header_without_a_value_is_an_empty_one() -> None:
    (record,) = records_of("requests", [consumed(headers=(("traceparent", None), ("ce_id", b"1")))])
    assert (record.topic, record.headers) == ("requests", (("traceparent", b""), ("ce_id", b"1")))
