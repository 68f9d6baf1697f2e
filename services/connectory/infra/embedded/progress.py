"""The seam by which whoever provisions tells whoever watches how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called from the thread of the event loop and from worker threads."""

    def step(self, text: str) -> None:
        """Something that takes a while begins; it ends when the next begins."""
        ...

    def advance(self, done: int, total: int) -> None:
        """So many of so many bytes of the current step are done."""
        ...


class Silent:
    """Watches nothing."""

    def step(self, text: str) -> None:
        del text

    def advance(self, done: int, total: int) -> None:
        del done, total
