"""The gateway as a role: what it is made of, and how it runs."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from connectory.connector_types.registry import TypeRegistry
from connectory.gateway.authentication import Credentials
from connectory.gateway.changes import ConnectorChanges, Waits
from connectory.gateway.executions import Executions
from connectory.gateway.health import Probe
from connectory.gateway.listening import listening
from connectory.gateway.origin import NewId, random_id
from connectory.gateway.outbox import Outbox
from connectory.gateway.read_models import QueriedConnectorViews, QueriedEventLog, Queries
from connectory.gateway.replies import ReplyInbox
from connectory.gateway.routes.action_requests import ActionRequestRoutes
from connectory.gateway.routes.connector_types import ConnectorTypeRoutes
from connectory.gateway.routes.connectors import ConnectorRoutes
from connectory.gateway.routes.event_log import EventLogRoutes
from connectory.gateway.routes.executions import ExecutionRoutes
from connectory.gateway.routes.schemas import SchemaRoutes
from connectory.gateway.routes.status import StatusRoutes
from connectory.gateway.routing import Edge
from connectory.infra.clock import Clock, utc_now
from connectory.infra.crypto import SecretsVault
from connectory.infra.log import Log
from connectory.infra.messages import Messages
from connectory.infra.progress import ProgressWatch
from connectory.infra.settings import Settings
from connectory.infra.topics import REPLIES
from connectory_projections.model import Query
from connectory_schemas.registry import SchemaRegistry, bundled_schemas

_PING = Query("SELECT 1", (), lambda row: row)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDependencies:
    """What the gateway is given. `queries` is the database; `credentials` None switches security off."""

    settings: Settings
    log: Log
    messages: Messages
    types: TypeRegistry
    vault: SecretsVault
    queries: Queries
    progress: ProgressWatch
    credentials: Credentials | None
    schemas: SchemaRegistry = field(default_factory=bundled_schemas)
    clock: Clock = utc_now
    new_id: NewId = random_id
    chance: random.Random = field(default_factory=random.Random)


async def run_gateway(dependencies: GatewayDependencies, on_bound: Callable[[str], None]) -> None:
    """Serve until cancelled; `on_bound` is told the URL once requests are accepted.

    The broker and the database may be away at the start and at any time: what needs them answers 503 meanwhile.
    Raises `CannotListen` and `SettingsInvalid`.
    """
    inbox = ReplyInbox(dependencies.log, dependencies.messages, dependencies.chance)
    outbox = Outbox(dependencies.log)
    async with asyncio.TaskGroup() as tasks:
        connections = [tasks.create_task(inbox.run()), tasks.create_task(outbox.run())]
        try:
            async with listening(application(dependencies, inbox, outbox), dependencies.settings.http) as url:
                on_bound(url + dependencies.settings.server.base_path)
                await asyncio.Event().wait()
        finally:
            for each in connections:
                each.cancel()


def application(dependencies: GatewayDependencies, inbox: ReplyInbox, outbox: Outbox) -> web.Application:
    """All routes behind the edge. `inbox` and `outbox` are run by the caller."""
    settings, clock, new_id = dependencies.settings, dependencies.clock, dependencies.new_id
    types, views = dependencies.types, QueriedConnectorViews(dependencies.queries)
    changes = connector_changes(dependencies, inbox, outbox)
    executions = Executions(
        messages=dependencies.messages,
        outbox=outbox,
        inbox=inbox,
        clock=clock,
        new_id=new_id,
        run_timeout=settings.executor.run_timeout,
    )
    tables = (
        ConnectorRoutes(changes, views, types, settings.strict_ids),
        ConnectorTypeRoutes(types),
        ExecutionRoutes(executions, views),
        ActionRequestRoutes(executions, clock, new_id),
        EventLogRoutes(QueriedEventLog(dependencies.queries)),
        SchemaRoutes(dependencies.schemas),
        StatusRoutes(settings.server.name, _probes(dependencies), clock),
    )
    edge = Edge(settings.server, dependencies.credentials)
    return edge.application(route for table in tables for route in table.table())


def connector_changes(dependencies: GatewayDependencies, inbox: ReplyInbox, outbox: Outbox) -> ConnectorChanges:
    waits = dependencies.settings.gateway
    return ConnectorChanges(
        types=dependencies.types,
        vault=dependencies.vault,
        views=QueriedConnectorViews(dependencies.queries),
        progress=dependencies.progress,
        messages=dependencies.messages,
        outbox=outbox,
        inbox=inbox,
        clock=dependencies.clock,
        new_id=dependencies.new_id,
        waits=Waits(waits.reply_timeout, waits.projection_wait),
    )


def _probes(dependencies: GatewayDependencies) -> dict[str, Probe]:
    return {
        "broker": lambda: dependencies.log.beginning_offset(REPLIES, 0),
        "database": lambda: dependencies.queries.one(_PING),
    }
