"""Ids for what happens thousands of times a second."""

from uuid import RFC_4122, UUID

from connectory.infra.ids import random_id


def test_a_random_id_is_a_uuid_as_others_write_it() -> None:
    for _ in range(1000):
        made = random_id()
        assert (UUID(made).version, UUID(made).variant, str(UUID(made))) == (4, RFC_4122, made)


def test_no_two_are_the_same() -> None:
    assert len({random_id() for _ in range(10_000)}) == 10_000
