"""What the client library logs, kept to what a reader can use.

While a broker is away each client tells so at each try, some hundred lines a second in all. The first is worth reading:
it is where the reason stands when a password or a certificate is refused.
"""

import logging
from typing import Final

TALKATIVE: Final = (
    "aiokafka.client",
    "aiokafka.conn",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)
QUIET_SECONDS: Final = 30.0


class OnceInAWhile(logging.Filter):
    """Lets a message of the library pass, and then no other of the same wording for `QUIET_SECONDS`."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        since = record.created - self._last.get(record.msg, float("-inf"))
        if 0 <= since < QUIET_SECONDS:
            return False
        self._last[record.msg] = record.created
        return True


def quieten_library() -> None:
    """Take effect on the library's loggers, once a process."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OnceInAWhile) for each in logger.filters):
            logger.addFilter(OnceInAWhile())
