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
    def made_by(self) -> Iterator[tuple[str, ...]]:
        """The flags of a program that makes the archive if there is none. It has ended when this is left."""
        if self.path.exists() or not os.access(self.path.parent, os.W_OK):
            yield self.flags()
            return
        unfinished = self.path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}.jsa")
        try:
            yield (f"-XX:ArchiveClassesAtExit={unfinished}", *QUIET)
        finally:
            # A rename, so that nobody ever sees half of it. After a crash of the broker there is nothing to be moved.
            with suppress(OSError):
                unfinished.replace(self.path)
                self._tidy()

    def _tidy(self) -> None:
        """What brokers wrote whose parents were killed, and what others are about to write: one archive is enough."""
        for other in self.path.parent.glob(f"{UNFINISHED}*.jsa"):
            other.unlink(missing_ok=True)
