"""Ports for what tests start themselves."""

import random
import socket
from typing import Final

CHOSEN_FROM: Final = range(10_000, 18_000)
"""Apart from those that the embedded servers choose from, which come to theirs only seconds after these are chosen."""

ATTEMPTS: Final = 100
LOOPBACK: Final = "127.0.0.1"
_chance: Final = random.Random()  # the global one may have been seeded by a test


def free_test_port() -> int:
    """A port of the loopback interface on which nobody listens now."""
    for _ in range(ATTEMPTS):
        port = _chance.choice(CHOSEN_FROM)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port between {CHOSEN_FROM.start} and {CHOSEN_FROM.stop}")
