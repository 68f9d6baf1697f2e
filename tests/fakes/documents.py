"""A store of documents that keeps them in a list."""

from collections.abc import Sequence

from connectory.domain.documents import DocumentIndexed


class KeptDocuments:
    """With an `error` it keeps nothing."""

    def __init__(self, error: Exception | None = None) -> None:
        self.kept: list[DocumentIndexed] = []
        self.error = error

    async def keep(self, documents: Sequence[DocumentIndexed]) -> None:
        if self.error:
            raise self.error
        self.kept.extend(documents)
