"""Record headers of our own, beside those of CloudEvents: how a record says where its answer goes, and its way here."""

from typing import Final

from connectory.infra.log import Headers, Record

REPLY_PARTITION: Final = "connectory-reply-partition"
"""On a command: the partition of `replies` on which the requester waits, as decimal text."""

FORWARDED_FROM: Final = "connectory-forwarded-from"
"""On a request that was moved to its home partition: the partition it was found on, as decimal text."""


LONGEST_NUMBER: Final = 9
"""Digits of a partition number that is worth reading: Python refuses to read very long ones."""


def header(record: Record, name: str) -> str | None:
    """The first header of that name as text; None when it is absent or not UTF-8."""
    for key, value in record.headers:
        if key == name:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def reply_partition(record: Record, partitions: int) -> int | None:
    """Where the answer to a command goes; None when nobody waits for one, or the header names no partition there is."""
    text = header(record, REPLY_PARTITION)
    if text is None or not text.isdecimal() or len(text) > LONGEST_NUMBER:
        return None
    partition = int(text)
    return partition if partition < partitions else None


def reply_to(partition: int) -> Headers:
    return ((REPLY_PARTITION, str(partition).encode()),)
