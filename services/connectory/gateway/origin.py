"""Who asks for something, where, and under which ids: what a change or a run carries from its request."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from connectory.domain.execution import RunContext

NewId = Callable[[], str]
"""Makes a random id: a UUID v4 in lower case."""


def random_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`by` is the caller's name. `command_id` is set when the caller chose it, so that a repetition is harmless.

    The API key is the one that the caller used, if it used one.
    """

    space_id: str
    by: str | None = None
    command_id: str | None = None
    traceparent: str | None = None
    api_key_id: str | None = None
    api_key_name: str | None = None

    def context(self, **about: str | None) -> RunContext | None:
        """On whose behalf a request is made; None: nothing is known beyond the caller's name."""
        context = RunContext(api_key_id=self.api_key_id, api_key_name=self.api_key_name, **about)
        return None if context == _NO_CONTEXT else context


_NO_CONTEXT: Final = RunContext()


def derived_connector_id(space_id: str, command_id: str) -> str:
    """The id of a connector that is created without one by a command that may be repeated: always the same.

    Clients demand a UUID v4, so it has the shape of one.
    """
    digest = hashlib.sha256(f"connector\n{space_id}\n{command_id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
