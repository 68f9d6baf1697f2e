"""A program of its own, run by path: ties its life to its parent's, takes another user's identity, becomes a command.

    python -I -S tether.py PARENT_PID SIGNAL_NUMBER UID:GID|- COMMAND [ARGUMENT…]

The kernel sends the signal when the thread that started this dies, so start it from the main thread's event loop. A
program rather than a `preexec_fn`, because Python code between fork and exec is unsafe in a process with threads.
Elsewhere than on Linux there is no such signal; what then outlives a killed parent is ended by the next start
(`connectory.infra.embedded.leftovers`).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    parent, signal_number, account, *command = arguments
    os.umask(0o077)
    if account != "-":
        _become(*map(int, account.split(":")))
    # After the change of user, which clears it.
    _die_with_parent(int(parent), int(signal_number))
    os.execv(command[0], command)


def _become(uid: int, gid: int) -> None:
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def _die_with_parent(parent: int, signal_number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died before its child started")


if __name__ == "__main__":
    main(sys.argv[1:])
