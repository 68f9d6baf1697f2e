"""A Kafka broker of our own: what it keeps, and what it says when it cannot start."""

import asyncio
import socket
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]

from connectory.infra.embedded import CannotProvision, DataDirHeld, EmbeddedKafka, embedded_kafka
from connectory.infra.embedded.class_archive import ClassArchive
from connectory.infra.embedded.jars import default_jar_cache, pinned_jars
from connectory.infra.embedded.java import find_java
from connectory.infra.embedded.ports import LOOPBACK, free_port

DEADLINE_MS = 30_000


async def test_data_and_address_stay_over_a_restart_and_a_crash(data_dir: Path) -> None:
    async with embedded_kafka(data_dir) as first:
        await _create_topic(first.bootstrap_servers, "kept")
        await _write(first.bootstrap_servers, "kept", b"before the restart")
    async with embedded_kafka(data_dir) as second:
        assert second.bootstrap_servers == first.bootstrap_servers
        await _write(second.bootstrap_servers, "kept", b"before the crash")
        await second.process.restart()
        assert await _read(second.bootstrap_servers, "kept", 2) == [b"before the restart", b"before the crash"]


async def test_two_data_directories_run_side_by_side(data_dir: Path, kafka_bootstrap: str, topic_prefix: str) -> None:
    await _create_topic(kafka_bootstrap, f"{topic_prefix}here")
    async with embedded_kafka(data_dir) as other:
        assert await _topics(other.bootstrap_servers) == set()
        assert f"{topic_prefix}here" in await _topics(kafka_bootstrap)


@pytest.fixture
def jar_cache(tmp_path: Path) -> Path:
    """One with the jars, and nothing that was made of them."""
    for jar in pinned_jars():
        (tmp_path / jar.file_name).symlink_to(default_jar_cache() / jar.file_name)
    return tmp_path


async def test_a_broker_starts_from_the_classes_that_the_one_before_left(data_dir: Path, jar_cache: Path) -> None:
    async with embedded_kafka(data_dir, jar_cache=jar_cache) as first:
        assert archive_of(first) is None
    archive = made_in(jar_cache)
    assert archive.stat().st_size > 0
    async with embedded_kafka(data_dir, jar_cache=jar_cache) as second:
        assert archive_of(second) == str(archive)
        await _create_topic(second.bootstrap_servers, "made")


async def test_classes_that_do_not_fit_are_passed_over(data_dir: Path, jar_cache: Path) -> None:
    archive = ClassArchive.of(find_java(), [jar_cache / jar.file_name for jar in pinned_jars()]).path
    archive.write_bytes(b"not what it should be")
    async with embedded_kafka(data_dir, jar_cache=jar_cache) as broker:
        assert archive_of(broker) == str(archive)
        await _create_topic(broker.bootstrap_servers, "made")


def made_in(jar_cache: Path) -> Path:
    (archive,) = jar_cache.glob("*.jsa")
    return archive


def archive_of(broker: EmbeddedKafka) -> str | None:
    """The archive that the broker was told to start from."""
    option = "-XX:SharedArchiveFile="
    words = psutil.Process(broker.process.pid).cmdline()
    return next((word.removeprefix(option) for word in words if word.startswith(option)), None)


async def test_a_taken_port_is_named_with_its_setting(data_dir: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotProvision, match=rf"port {port} .*is taken.* --kafka-port"):
            async with embedded_kafka(data_dir, port):
                pass


async def test_a_port_that_somebody_takes_in_the_meantime_is_exchanged_for_another(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await asyncio.start_server(answer_anybody, LOOPBACK, 0) as taken:
        chosen = iter([taken.sockets[0].getsockname()[1], free_port()])
        monkeypatch.setattr("connectory.infra.embedded.kafka.choose_port", lambda *_, **__: next(chosen))
        async with embedded_kafka(data_dir) as server:
            await _create_topic(server.bootstrap_servers, "made")


async def answer_anybody(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As another broker does, or whoever else speaks first."""
    writer.write(b"\0")
    writer.close()


async def test_a_second_broker_on_the_same_data_is_refused(server_dir: Path, kafka_bootstrap: str) -> None:
    with pytest.raises(DataDirHeld, match=r"in use by the process with pid \d+"):
        async with embedded_kafka(server_dir):
            pass
    await _topics(kafka_bootstrap)


async def test_foreign_data_are_reported_with_the_end_of_the_log(data_dir: Path) -> None:
    (data_dir / "kafka" / "data").mkdir(parents=True)
    (data_dir / "kafka" / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=another\n")
    with pytest.raises(CannotProvision, match=r"(?s)ended with exit code .*kafka\.log, ends with:.*node id 7"):
        async with embedded_kafka(data_dir):
            pass


async def test_a_heap_that_java_refuses_is_reported(data_dir: Path) -> None:
    with pytest.raises(CannotProvision, match=r"(?s)ended with exit code 1.*enough space"):
        async with embedded_kafka(data_dir, heap_mib=10**12):
            pass


async def _create_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def _topics(bootstrap: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def _write(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def _read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    values: list[bytes] = []
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        while len(values) < count:
            batches = await consumer.getmany(timeout_ms=DEADLINE_MS)
            assert batches, f"only {values} came"
            values.extend(record.value or b"" for records in batches.values() for record in records)
    return values
