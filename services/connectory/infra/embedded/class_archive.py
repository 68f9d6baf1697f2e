"""The classes of the broker as the Java runtime has read them once: starting from these takes half the time.

The runtime writes them when a broker ends in order, and maps them at later starts. It finds out itself whether they fit
its version and the jars, and does without them if not.
"""

import hashlib
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectory.infra.embedded.java import Java

QUIET: Final = ("-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
"""Whether there is an archive, and one that fits, is no news for the broker's log."""

UNFINISHED: Final = ".unfinished-"


@dataclass(slots=True)
class Making:
    """A run of a program that starts from the archive, or makes it at its end."""

    flags: tuple[str, ...]
    is_complete: bool = False

    def has_ended(self, code: int) -> None:
        """The program has; killed by a signal it may have written half of the archive."""
        self.is_complete = code >= 0


@dataclass(frozen=True, slots=True)
class ClassArchive:
    """One for each runtime and list of jars, beside these."""

    path: Path

    @classmethod
    def of(cls, java: Java, jars: Sequence[Path]) -> "ClassArchive":
        program = java.program.resolve()
        made_from = [str(program), str(program.stat().st_mtime_ns), *map(str, jars)]
        digest = hashlib.sha256("\n".join(made_from).encode()).hexdigest()
        return cls(jars[0].parent / f"classes-{digest[:16]}.jsa")

    def flags(self) -> tuple[str, ...]:
        """Of a start from the archive; none when there is none yet."""
        return (f"-XX:SharedArchiveFile={self.path}", *QUIET) if self.path.exists() else ()

    @contextmanager
    def made_by(self) -> Iterator[Making]:
        """A program that makes the archive if there is none. It has ended when this is left."""
        if self.path.exists() or not os.access(self.path.parent, os.W_OK):
            yield Making(self.flags())
            return
        unfinished = self.path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}.jsa")
        making = Making((f"-XX:ArchiveClassesAtExit={unfinished}", *QUIET))
        try:
            yield making
        finally:
            with suppress(OSError):
                self._keep(unfinished, making)

    def _keep(self, unfinished: Path, making: Making) -> None:
        """By a rename, so that nobody ever sees half of it."""
        if not making.is_complete:
            unfinished.unlink(missing_ok=True)
        elif unfinished.exists():
            unfinished.replace(self.path)
            self._tidy()

    def _tidy(self) -> None:
        """What brokers wrote whose parents were killed, and what others are about to write: one archive is enough."""
        for other in self.path.parent.glob(f"{UNFINISHED}*.jsa"):
            other.unlink(missing_ok=True)
