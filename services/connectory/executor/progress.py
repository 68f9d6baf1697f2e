"""Which requests of a partition are done, and therefore how far the group's progress may be committed."""

from collections import deque

from connectory.infra.log import Committed


class Progress:
    """Requests are begun in order of offset and done in any order; the lowest one not done bounds the commit.

    With each request goes an offset of the partition's outcomes after which every outcome of it lies, and every outcome
    of those that are read after it: it is where a successor must begin to read the ledger.
    """

    def __init__(self, next_offset: int) -> None:
        self.next_offset = next_offset
        self._begun: deque[tuple[int, int]] = deque()
        self._done: set[int] = set()

    def begin(self, offset: int, ledger_from: int) -> None:
        self._begun.append((offset, ledger_from))
        self.next_offset = offset + 1

    def done(self, offset: int) -> None:
        self._done.add(offset)
        while self._begun and self._begun[0][0] in self._done:
            self._done.remove(self._begun.popleft()[0])

    def committable(self, ledger_from_next: int) -> Committed:
        """The progress to commit now; `ledger_from_next` is for when nothing is outstanding: as in `begin`, of what is
        read next.
        """
        offset, ledger_from = self._begun[0] if self._begun else (self.next_offset, ledger_from_next)
        return Committed(offset, str(ledger_from))


def ledger_from(committed: Committed | None) -> int | None:
    """Where the ledger must be read from, None when the progress does not say."""
    return int(committed.metadata) if committed and committed.metadata.isdecimal() else None
