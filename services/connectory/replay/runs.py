"""A run of a replay: its name, and the ids that it gives to requests."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connectory.domain.errors import Refused
from connectory.domain.execution import ActionRequest

_NAMESPACE: Final = uuid.UUID("6f1f3c52-9a5e-4f0c-8d39-2f5f7f0b7d11")
_TIME: Final = "%Y%m%dT%H%M%SZ"
_ID: Final = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """The same request gets the same new id whenever the run goes on, so that one that was cut off can be resumed."""

    id: str
    started_at: datetime

    @classmethod
    def begin(cls, now: datetime) -> "ReplayRun":
        started_at = now.astimezone(UTC).replace(microsecond=0)
        return cls(f"{started_at:{_TIME}}-{uuid.uuid4().hex[:8]}", started_at)

    @classmethod
    def resume(cls, run_id: str) -> "ReplayRun":
        """Raises `Refused` for what is no id of a run."""
        match = _ID.fullmatch(run_id)
        if match is None:
            raise Refused("replay-run-invalid", f"{run_id} is no replay run; one looks like 20260131T120000Z-0a1b2c3d")
        try:
            started_at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
        except ValueError:
            raise Refused("replay-run-invalid", f"{run_id} is no replay run: there is no such time") from None
        return cls(run_id, started_at)

    def request_id(self, request: ActionRequest) -> str:
        """By connector and id, as requests are known: two records of one request are one request here as well."""
        return str(uuid.uuid5(_NAMESPACE, "\n".join((self.id, request.connector_id, request.request_id))))
