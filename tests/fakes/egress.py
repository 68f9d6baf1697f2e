"""An egress that goes nowhere."""

from contextlib import AbstractAsyncContextManager

from connectory.connector_types.contract import (
    EgressFailed,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
)


class FakeEgress:
    """Records requests and answers each with the same response or failure."""

    def __init__(self, answer: OutgoingResponse | EgressFailed | Exception | None = None) -> None:
        self.requests: list[OutgoingRequest] = []
        self._answer = answer or responds(200)

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        self.requests.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        return no_mail(server)

    @property
    def sent(self) -> OutgoingRequest:
        """The one request that was sent."""
        (request,) = self.requests
        return request


def no_mail(server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
    raise EgressFailed(f"connect ECONNREFUSED {server.host}:{server.port}", "ECONNREFUSED")


def responds(
    status: int, reason: str = "", body: bytes = b"", headers: dict[str, str] | None = None
) -> OutgoingResponse:
    return OutgoingResponse(status=status, reason=reason, headers=headers or {}, body=body)
