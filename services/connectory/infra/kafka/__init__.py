"""The log on a real Kafka cluster. Everything that names the client library stands in this package."""

from connectory.infra.kafka.administration import TopicDescription
from connectory.infra.kafka.log import KafkaLog, open_kafka_log

__all__ = ["KafkaLog", "TopicDescription", "open_kafka_log"]
