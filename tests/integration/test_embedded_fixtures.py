"""The fixtures that lend real servers to the other tests."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]

from tests import sql
from tests.waiting import until_answer


async def test_a_test_gets_an_empty_database_of_its_own(database_url: str) -> None:
    assert await sql.value(database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_a_test_can_make_topics_of_its_own(kafka_bootstrap: str, topic_prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{topic_prefix}numbers", num_partitions=6, replication_factor=1)])
        # The broker answers before it shows the topic to others.
        await until_answer(admin.list_topics, lambda names: f"{topic_prefix}numbers" in names, 30.0, 0.05)
    finally:
        await admin.close()
