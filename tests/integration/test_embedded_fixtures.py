"""The fixtures that lend real servers to the other tests."""

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]


async def test_a_test_gets_an_empty_database_of_its_own(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    assert tables == []


async def test_a_test_can_make_topics_of_its_own(kafka_bootstrap: str, topic_prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{topic_prefix}numbers", num_partitions=6, replication_factor=1)])
        names = await admin.list_topics()
    finally:
        await admin.close()
    assert f"{topic_prefix}numbers" in names
