"""TCP ports on the loopback interface."""

import random
import socket
from typing import Final

import psutil

from connectory.infra.embedded.errors import CannotProvision

LOOPBACK: Final = "127.0.0.1"
CHOSEN_FROM: Final = range(20_000, 32_000)
ATTEMPTS: Final = 100


def choose_port(wanted: int | None, *, preferred: int | None = None, setting: str) -> int:
    """The wanted port, or else the preferred one if it is free, or else any free one.

    Raises `CannotProvision` naming `setting` when the wanted port is taken.
    """
    if wanted is not None:
        _require_free(wanted, setting)
        return wanted
    return preferred if preferred and _is_free(preferred) else free_port()


def free_port(other_than: int | None = None) -> int:
    """A port that is free now, and stays so for a while: below those that outgoing connections are given."""
    for _ in range(ATTEMPTS):
        port = random.choice(CHOSEN_FROM)
        if port != other_than and _is_free(port):
            return port
    raise CannotProvision(f"no free port was found on {LOOPBACK} between {CHOSEN_FROM.start} and {CHOSEN_FROM.stop}")


def listens(pid: int, port: int) -> bool:
    """Whether that process of ours listens on the port; taken for granted where the system does not tell."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in found)


def _require_free(port: int, setting: str) -> None:
    if not _is_free(port):
        raise CannotProvision(
            f"port {port} on {LOOPBACK} is taken: stop what listens there, or choose another with {setting} "
            "(left out, a free one is chosen)"
        )


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: what lingers of connections that are over (TIME_WAIT) does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
