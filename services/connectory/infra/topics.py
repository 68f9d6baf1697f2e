"""The topics of the log: names without the prefix, keys, and how long records are kept."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

CONNECTOR_COMMANDS: Final = "connector-commands"
CONNECTOR_EVENTS: Final = "connector-events"
CONNECTORS: Final = "connectors"
CONNECTOR_REFERENCES: Final = "connector-references"
REPLIES: Final = "replies"
ACTION_REQUESTS: Final = "action-requests"
ACTION_RETRIES_10S: Final = "action-retries-10s"
ACTION_RETRIES_1M: Final = "action-retries-1m"
ACTION_RETRIES_10M: Final = "action-retries-10m"
ACTION_CANCELLATIONS: Final = "action-cancellations"
ACTION_OUTCOMES: Final = "action-outcomes"
ACTION_DEAD_LETTERS: Final = "action-dead-letters"
SPACE_COMMANDS: Final = "space-commands"
SPACE_EVENTS: Final = "space-events"
SPACES: Final = "spaces"
INDEX_DOCUMENTS: Final = "index-documents"
EXECUTOR_REPORTS: Final = "executor-reports"
"""All on partition 0: whoever follows them wants those of every executor."""

API_KEYS: Final = "api-keys"
"""All on partition 0, so that one question to the broker tells whether a gateway knows the last of them."""

RETRY_TOPICS: Final = {
    ACTION_RETRIES_10S: timedelta(seconds=10),
    ACTION_RETRIES_1M: timedelta(minutes=1),
    ACTION_RETRIES_10M: timedelta(minutes=10),
}
"""How long a record stays on each before it is read: as every record stays as long, they become due in their order."""


EXECUTORS: Final = "executor"
"""The group that all executors are members of, on the requests and the retry topics."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """`retention` None means: kept forever. A compacted topic keeps the last record of each key."""

    name: str
    retention: timedelta | None = None
    compacted: bool = False


def topic_specs(outcome_retention: timedelta) -> tuple[TopicSpec, ...]:
    """Every topic. All share one partition count, so that whatever concerns a connector has one partition number."""
    week = timedelta(days=7)
    return (
        TopicSpec(CONNECTOR_COMMANDS, retention=week),
        TopicSpec(CONNECTOR_EVENTS),
        TopicSpec(CONNECTORS, compacted=True),
        TopicSpec(CONNECTOR_REFERENCES, compacted=True),
        TopicSpec(REPLIES, retention=timedelta(hours=1)),
        TopicSpec(ACTION_REQUESTS, retention=week),
        *(TopicSpec(name, retention=week) for name in RETRY_TOPICS),
        TopicSpec(ACTION_CANCELLATIONS, retention=week),
        TopicSpec(ACTION_OUTCOMES, retention=outcome_retention),
        TopicSpec(ACTION_DEAD_LETTERS, retention=timedelta(days=90)),
        TopicSpec(SPACE_COMMANDS, retention=week),
        TopicSpec(SPACE_EVENTS),
        TopicSpec(SPACES, compacted=True),
        TopicSpec(API_KEYS, compacted=True),
        TopicSpec(EXECUTOR_REPORTS, retention=timedelta(hours=1)),
        TopicSpec(INDEX_DOCUMENTS, retention=outcome_retention),
    )
