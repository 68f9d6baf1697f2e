"""An egress that goes nowhere."""

from connectory.connector_types.contract import EgressFailed, OutgoingRequest, OutgoingResponse


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

    @property
    def sent(self) -> OutgoingRequest:
        """The one request that was sent."""
        (request,) = self.requests
        return request


def responds(
    status: int, reason: str = "", body: bytes = b"", headers: dict[str, str] | None = None
) -> OutgoingResponse:
    return OutgoingResponse(status=status, reason=reason, headers=headers or {}, body=body)
