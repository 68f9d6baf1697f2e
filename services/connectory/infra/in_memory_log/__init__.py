"""The in-memory twin of the Kafka log, for tests and `up --memory`. Nothing survives the process."""

from connectory.infra.in_memory_log.log import InMemoryLog

__all__ = ["InMemoryLog"]
