"""Errors of the client library, translated into ours in one place."""

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


class translated:  # noqa: N801 — read as a word: `with translated(…)`. A class, because a generator costs more.
    """Raises `Fenced` or `Unavailable` for whatever the library raises within. `doing` completes "cannot …"."""

    __slots__ = ("_doing", "_servers")

    def __init__(self, servers: str, doing: str) -> None:
        self._servers = servers
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, TAKEN_OVER):
            raise Fenced(f"Cannot {self._doing}, another instance has taken over: {_text(error)}") from error
        if isinstance(error, OUT_OF_REACH):
            raise unavailable(self._servers, self._doing, error) from error


def unavailable(servers: str, doing: str, error: BaseException) -> Unavailable:
    """What an error of the library means for one who depends on the cluster."""
    match error:
        case TimeoutError() | kafka_errors.KafkaTimeoutError() | kafka_errors.RequestTimedOutError():
            return Unavailable(f"Cannot {doing}: Kafka at {servers} does not answer in time")
        case OSError() | kafka_errors.KafkaConnectionError() | kafka_errors.NodeNotReadyError():
            return Unavailable(f"Cannot {doing}: Kafka at {servers} cannot be reached")
        case _:
            return Unavailable(f"Cannot {doing}: Kafka at {servers} says {_text(error)}")


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
