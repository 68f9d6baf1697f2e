"""Errors of the client library, translated into ours in one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from connectory.domain.errors import Fenced, Unavailable
from connectory.infra.kafka.library import kafka_errors

TAKEN_OVER = (
    kafka_errors.ProducerFenced,
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.InvalidProducerIdMapping,
    kafka_errors.InvalidTxnState,
    kafka_errors.CommitFailedError,
    kafka_errors.IllegalGenerationError,
    kafka_errors.UnknownMemberIdError,
    kafka_errors.RebalanceInProgressError,
    kafka_errors.IllegalStateError,
    kafka_errors.ConsumerStoppedError,
)
"""Somebody else owns the transactional id or the partition now, or the group has lost us."""

OUT_OF_REACH = (kafka_errors.KafkaError, TimeoutError, OSError)


@contextmanager
def translated(servers: str, doing: str) -> Iterator[None]:
    """Raise `Fenced` or `Unavailable` for whatever the library raises within. `doing` completes "cannot …"."""
    try:
        yield
    except TAKEN_OVER as error:
        raise Fenced(f"Cannot {doing}, another instance has taken over: {_text(error)}") from error
    except OUT_OF_REACH as error:
        raise Unavailable(
            f"Cannot {doing}: Kafka at {servers} does not do it in time or refuses: {_text(error)}"
        ) from error


def _text(error: BaseException) -> str:
    """The library's errors often have no text, and their names say more."""
    return f"{type(error).__name__} {error}".strip()
