"""Keys must go to the partitions that the Java client's default partitioner chooses: other clients depend on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.infra.log import murmur2, partition_for

JAVA_MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Key → hash as a signed number, from the tests of the Java client."""


@pytest.mark.parametrize(("key", "expected"), JAVA_MURMUR2.items())
def test_the_hash_equals_that_of_the_java_client(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "expected"), JAVA_MURMUR2.items())
def test_the_partition_is_the_positive_part_of_the_hash_modulo_the_count(key: bytes, expected: int) -> None:
    assert partition_for(key, 6) == (expected & 0x7FFFFFFF) % 6


@given(st.binary(max_size=200), st.integers(min_value=1, max_value=1000))
def test_a_key_always_has_the_same_partition_within_the_count(key: bytes, partitions: int) -> None:
    assert 0 <= partition_for(key, partitions) < partitions
    assert partition_for(key, partitions) == partition_for(bytes(key), partitions)
