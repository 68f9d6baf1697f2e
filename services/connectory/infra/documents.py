"""Documents of `.index` on the log, from where the projector puts them into the database."""

from collections.abc import Sequence

from connectory.domain.documents import DocumentIndexed
from connectory.infra.log import Message, Writer
from connectory.infra.messages import Messages
from connectory.infra.topics import INDEX_DOCUMENTS


class LoggedDocuments:
    """Implements `connectory.connector_types.contract.Documents`."""

    def __init__(self, writer: Writer, messages: Messages) -> None:
        self._writer = writer
        self._messages = messages

    async def keep(self, documents: Sequence[DocumentIndexed]) -> None:
        await self._writer.write([self._message(document) for document in documents])

    def _message(self, document: DocumentIndexed) -> Message:
        return self._messages.message(INDEX_DOCUMENTS, document.connector_id, document, at=document.at)
