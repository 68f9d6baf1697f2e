"""Topics of the cluster: created as declared, and described for the CLI."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectory.domain.errors import Unavailable
from connectory.infra.kafka.connection import DELIVERY_SECONDS
from connectory.infra.kafka.library import (
    AIOKafkaAdminClient,
    ConfigResource,
    ConfigResourceType,
    NewTopic,
    kafka_errors,
)
from connectory.infra.topics import TopicSpec

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the cluster has it. `configs` are in the broker's words; `end_offsets` are by partition."""

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]
    end_offsets: Sequence[int]


def topic_configs(spec: TopicSpec) -> dict[str, str]:
    """What the broker is told about keeping records."""
    if spec.compacted:
        return {
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.1",
            "segment.ms": _milliseconds(timedelta(hours=1)),
            "delete.retention.ms": _milliseconds(timedelta(hours=24)),
            # Old records of a deleted connector must go also when its topic is quiet.
            "max.compaction.lag.ms": _milliseconds(timedelta(hours=24)),
        }
    if spec.retention is None:
        return {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
    return {
        "cleanup.policy": "delete",
        "retention.ms": _milliseconds(spec.retention),
        "retention.bytes": "-1",
        # Whole segments are deleted, so one must not span much more than the retention.
        "segment.ms": _milliseconds(min(spec.retention / 6, timedelta(days=7))),
    }


async def create_topics(
    admin: AIOKafkaAdminClient, specs: Mapping[str, TopicSpec], partitions: int, replication_factor: int
) -> list[str]:
    """Create what is missing of `specs`, which are by full name; returns the full names created."""
    answer: Any = await admin.create_topics(
        [
            NewTopic(name, partitions, replication_factor, topic_configs=topic_configs(spec))
            for name, spec in specs.items()
        ]
    )
    created = []
    for name, code, *_ in answer.topic_errors:
        error = kafka_errors.for_code(code)
        if error is kafka_errors.NoError:
            created.append(name)
        elif error is not kafka_errors.TopicAlreadyExistsError:
            raise Unavailable(f"Kafka does not create the topic {name}: {error.__name__}")
    await _wait_for_leaders(admin, list(specs))
    return created


async def partition_count(admin: AIOKafkaAdminClient, name: str) -> int:
    [topic] = await admin.describe_topics([name])
    if topic["error_code"]:
        error = kafka_errors.for_code(topic["error_code"])
        raise Unavailable(f"The topic {name} cannot be used, create it first: {error.__name__}")
    return len(topic["partitions"])


async def describe(admin: AIOKafkaAdminClient, prefix: str) -> list[TopicDescription]:
    """Every topic with that prefix, by full name and without end offsets."""
    topics = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"].startswith(prefix)}
    configs = await _configs(admin, topics) if topics else {}
    return [_description(topic, configs.get(name, {})) for name, topic in sorted(topics.items())]


async def _wait_for_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic that was just created is not known to every broker at once."""
    async with asyncio.timeout(DELIVERY_SECONDS):
        while not all(_has_leaders(topic) for topic in await admin.describe_topics(names)):  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


def _has_leaders(topic: Mapping[str, Any]) -> bool:
    partitions = topic["partitions"]
    return not topic["error_code"] and bool(partitions) and all(each["leader"] >= 0 for each in partitions)


async def _configs(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    answers: Any = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }


def _description(topic: Mapping[str, Any], configs: Mapping[str, str]) -> TopicDescription:
    partitions = topic["partitions"]
    replicas = min((len(partition["replicas"]) for partition in partitions), default=0)
    return TopicDescription(topic["topic"], len(partitions), replicas, configs, ())


def _milliseconds(time: timedelta) -> str:
    return str(time // timedelta(milliseconds=1))
