"""Carrying out an action through the registry, as the executor does."""

from collections.abc import Mapping
from typing import Any

from connectory.connector_types.contract import AccessTokens, Documents, Egress, NoDocuments, ServerLog, Surroundings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.execution import Result
from connectory.infra.clock import Clock, utc_now
from tests.fakes.egress import FakeEgress
from tests.fakes.server_log import RecordingServerLog


async def run_action(
    types: TypeRegistry,
    type_id: str,
    params: Mapping[str, Any],
    *,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    egress: Egress | None = None,
    server_log: ServerLog | None = None,
    tokens: AccessTokens | None = None,
    now: Clock = utc_now,
    source: str | None = None,
    documents: Documents | None = None,
) -> Result:
    """Run once through a connector `c1` with this config and these secrets, for the request `request-1`."""
    prepared = types.prepare(type_id, config or {}, secrets or {})
    surroundings = Surroundings(
        egress=egress or FakeEgress(),
        server_log=server_log or RecordingServerLog(),
        now=now,
        tokens=tokens or AccessTokens(),
        documents=documents or NoDocuments(),
    )
    return await types.execute(
        prepared,
        types.parse_params(prepared.type, params),
        connector_id="c1",
        connector_name="a connector",
        idempotency_key="request-1",
        source=source,
        surroundings=surroundings,
    )
