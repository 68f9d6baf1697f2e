"""How many actions an executor carries out at once, shared by its partitions in turn."""

from collections import deque
from collections.abc import Callable


class Slots:
    """Places, handed on to whoever has waited longest. There are free ones only while nobody waits.

    Plain calls instead of a semaphore: under load every end of an action is the start of another, and that must not
    cost a task switch.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def free(self) -> int:
        return self._free

    def take(self, given: Callable[[], None]) -> bool:
        """Take a place; when there is none, `given` is called with a place taken for it, once, as soon as one is free.

        Whoever is given a place has to `release` it, used or not.
        """
        if self._free > 0:
            self._free -= 1
            return True
        if given not in self._waiting:
            self._waiting.append(given)
        return False

    def release(self) -> None:
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._free += 1
