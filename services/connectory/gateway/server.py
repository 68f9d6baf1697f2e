"""The gateway as a role: what it is made of, and how it runs."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from connectory.connector_types.contract import Egress
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS, InMemoryConnectors
from connectory.gateway.api_key_directory import ApiKeyDirectory
from connectory.gateway.api_keys import NO_ROLES, ApiKeyDesk
from connectory.gateway.attempt_limits import AttemptLimit
from connectory.gateway.audit import AuditLog
from connectory.gateway.authentication import Anyone, ByCredentials, Credentials, Identification
from connectory.gateway.cancellations import Cancellations
from connectory.gateway.catching_up import CatchingUp
from connectory.gateway.changes import ConnectorChanges
from connectory.gateway.commanding import Channel, CommandDesk, Waits
from connectory.gateway.dead_letters import DeadLetterDesk
from connectory.gateway.dry_runs import DryRuns
from connectory.gateway.event_documents.product import product_of
from connectory.gateway.executions import Executions
from connectory.gateway.key_check import InMemoryKeptKey, KeptKey, checking_key
from connectory.gateway.key_rotation import KeyRotation
from connectory.gateway.listening import listening
from connectory.gateway.open_requests import OpenRequests
from connectory.gateway.origin import NewId, random_id
from connectory.gateway.read_models import ReadModels
from connectory.gateway.references import ReferenceDesk
from connectory.gateway.replies import ReplyInbox
from connectory.gateway.restoring import Restoring
from connectory.gateway.routes.action_requests import ActionRequestRoutes
from connectory.gateway.routes.api_keys import ApiKeyRoutes
from connectory.gateway.routes.connector_delivery import ConnectorDeliveryRoutes
from connectory.gateway.routes.connector_history import ConnectorHistoryRoutes
from connectory.gateway.routes.connector_types import ConnectorTypeRoutes
from connectory.gateway.routes.connectors import ConnectorRoutes
from connectory.gateway.routes.dead_letters import DeadLetterRoutes
from connectory.gateway.routes.encryption_keys import EncryptionKeyRoutes
from connectory.gateway.routes.event_documents import EventDocumentRoutes
from connectory.gateway.routes.event_log import EventLogRoutes
from connectory.gateway.routes.execution_logs import ExecutionLogRoutes
from connectory.gateway.routes.executions import ExecutionRoutes
from connectory.gateway.routes.oauth import OAuthRoutes
from connectory.gateway.routes.openapi import with_document
from connectory.gateway.routes.references import ReferenceRoutes
from connectory.gateway.routes.saved_objects import SavedObjectRoutes
from connectory.gateway.routes.schemas import SchemaRoutes
from connectory.gateway.routes.spaces import SpaceRoutes
from connectory.gateway.routes.status import StatusRoutes
from connectory.gateway.routes.task_manager import TaskManagerRoutes
from connectory.gateway.routing import Edge
from connectory.gateway.run_rights import RunRights
from connectory.gateway.saved_objects.exporting import Exports
from connectory.gateway.saved_objects.import_warnings import IdRules
from connectory.gateway.saved_objects.importing import Imports
from connectory.gateway.sealed_connectors import SealedConnectors
from connectory.gateway.shadowing import warn_of_shadowed
from connectory.gateway.space_deletions import SpaceDeletions, driving_deletions
from connectory.gateway.spaces import SpaceChanges, Spaces
from connectory.gateway.task_health.reports import ExecutorReports
from connectory.gateway.task_health.watch import TaskHealth
from connectory.gateway.token_tests import TokenTests
from connectory.infra.clock import Clock, utc_now
from connectory.infra.crypto import SecretsVault
from connectory.infra.egress import AllowedHosts
from connectory.infra.exclusive import Exclusive, InProcessExclusive
from connectory.infra.log import Log, Writer
from connectory.infra.messages import Messages
from connectory.infra.settings import Settings
from connectory.infra.topics import CONNECTOR_COMMANDS, SPACE_COMMANDS
from connectory_projections import CONNECTOR_HISTORY, CONNECTORS_BY_SPACE, SPACES
from connectory_schemas.registry import SchemaRegistry, bundled_schemas

CONNECTOR_VIEWS: Final = (CONNECTORS_BY_SPACE.name, CONNECTOR_HISTORY.name)
"""The projections of what happens to connectors: a change is answered when both show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDependencies:
    """What the gateway is given. `credentials` None switches security off."""

    settings: Settings
    log: Log
    messages: Messages
    types: TypeRegistry
    vault: SecretsVault
    read_models: ReadModels
    credentials: Credentials | None
    egress: Egress
    schemas: SchemaRegistry = field(default_factory=bundled_schemas)
    in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS
    clock: Clock = utc_now
    new_id: NewId = random_id
    chance: random.Random = field(default_factory=random.Random)
    exclusive: Exclusive = field(default_factory=InProcessExclusive)
    kept_key: KeptKey = field(default_factory=InMemoryKeptKey)


async def run_gateway(dependencies: GatewayDependencies, on_bound: Callable[[str], None]) -> None:
    """Serve until cancelled; `on_bound` is told the URL once requests are accepted.

    The broker and the database may be away at the start and at any time: what needs them answers 503 meanwhile.
    Raises `CannotListen` and `SettingsInvalid`.
    """
    inbox = ReplyInbox(dependencies.log, dependencies.messages, dependencies.chance)
    keys = ApiKeyDirectory(dependencies.log, dependencies.messages)
    open_requests = OpenRequests(dependencies.log, dependencies.settings.actions.queued_max)
    health = task_health(dependencies)
    # The order matters at the end: requests in flight are answered while replies can still arrive.
    async with (
        dependencies.log.writer() as writer,
        inbox.open(),
        keys.open(),
        checking_key(dependencies.kept_key, sealed_connectors(dependencies)),
        health.open(),
        driving_deletions(space_deletions(dependencies, inbox, writer)),
        listening(
            application(dependencies, inbox, writer, keys, open_requests, health), dependencies.settings.http
        ) as url,
    ):
        on_bound(url + dependencies.settings.server.base_path)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(warn_of_shadowed(dependencies.in_memory, dependencies.read_models.connectors))
            tasks.create_task(open_requests.follow())


def application(
    dependencies: GatewayDependencies,
    inbox: ReplyInbox,
    writer: Writer,
    keys: ApiKeyDirectory,
    open_requests: OpenRequests,
    health: TaskHealth,
) -> web.Application:
    """All routes behind the edge. The caller opens `inbox` and `keys`."""
    settings, types, clock, new_id = dependencies.settings, dependencies.types, dependencies.clock, dependencies.new_id
    read_models = dependencies.read_models
    executions = direct_and_queued_runs(dependencies, inbox, writer)
    changes = connector_changes(dependencies, inbox, writer)
    in_memory = dependencies.in_memory
    rights = RunRights(types, read_models.connectors, in_memory)
    product = product_of(settings.server.name)
    tables = (
        connector_routes(dependencies, changes),
        ConnectorDeliveryRoutes(changes, read_models.connectors, in_memory),
        ConnectorTypeRoutes(types),
        ExecutionRoutes(executions, rights, in_memory),
        ActionRequestRoutes(
            executions, cancellations(dependencies, inbox, writer), rights, open_requests, clock, new_id
        ),
        EventLogRoutes(read_models.event_log),
        ExecutionLogRoutes(read_models.documents, product, clock),
        EventDocumentRoutes(read_models.documents, read_models.connectors, in_memory, product, clock),
        history_routes(dependencies, inbox, writer, rights),
        ReferenceRoutes(reference_desk(dependencies, writer), rights),
        EncryptionKeyRoutes(key_rotation(dependencies, inbox, writer)),
        DeadLetterRoutes(dead_letter_desk(dependencies, writer), rights),
        SpaceRoutes(Spaces(read_models.spaces), space_changes(dependencies, inbox, writer)),
        ApiKeyRoutes(api_key_desk(dependencies, writer, keys), dependencies.credentials or NO_ROLES),
        saved_object_routes(dependencies, changes),
        SchemaRoutes(dependencies.schemas),
        oauth_routes(dependencies),
        TaskManagerRoutes(health),
        StatusRoutes(settings.server.name, {"broker": inbox.reach, "database": read_models.reach}, clock),
    )
    security = settings.security
    audit = AuditLog(security.audit_enabled, security.audit_reads)
    edge = Edge(settings.server, identification(dependencies, keys), audit)
    routes = [route for table in tables for route in table.table()]
    return edge.application(with_document(routes, settings.server))


def identification(dependencies: GatewayDependencies, keys: ApiKeyDirectory) -> Identification:
    credentials = dependencies.credentials
    return Anyone() if credentials is None else ByCredentials(credentials, keys, dependencies.clock)


def api_key_desk(dependencies: GatewayDependencies, writer: Writer, keys: ApiKeyDirectory) -> ApiKeyDesk:
    return ApiKeyDesk(
        directory=keys,
        messages=dependencies.messages,
        writer=writer,
        clock=dependencies.clock,
        new_id=dependencies.new_id,
    )


def oauth_routes(dependencies: GatewayDependencies) -> OAuthRoutes:
    settings, clock = dependencies.settings, dependencies.clock
    limits = settings.oauth
    return OAuthRoutes(
        tests=TokenTests(dependencies.egress, AllowedHosts(settings.actions.allowed_hosts), clock),
        views=dependencies.read_models.connectors,
        in_memory=dependencies.in_memory,
        base_url=settings.server.public_base_url,
        starts=AttemptLimit(limits.authorize_limit, limits.authorize_window, clock),
        returns=AttemptLimit(limits.callback_limit, limits.callback_window, clock),
    )


def task_health(dependencies: GatewayDependencies) -> TaskHealth:
    settings, clock = dependencies.settings, dependencies.clock
    reports = ExecutorReports(dependencies.log, dependencies.messages, clock)
    return TaskHealth(reports, settings.task_manager, settings.capacity.reported, clock, dependencies.new_id())


def connector_changes(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> ConnectorChanges:
    channel = command_channel(dependencies, inbox, writer)
    return ConnectorChanges(
        types=dependencies.types,
        vault=dependencies.vault,
        views=dependencies.read_models.connectors,
        messages=dependencies.messages,
        desk=CommandDesk(channel, CONNECTOR_COMMANDS, CONNECTOR_VIEWS),
        clock=dependencies.clock,
        new_id=dependencies.new_id,
        in_memory=dependencies.in_memory,
    )


def connector_routes(dependencies: GatewayDependencies, changes: ConnectorChanges) -> ConnectorRoutes:
    read_models = dependencies.read_models
    return ConnectorRoutes(
        changes,
        read_models.connectors,
        read_models.references,
        read_models.history,
        dependencies.types,
        dependencies.in_memory,
        dependencies.settings.strict_ids,
    )


def history_routes(
    dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer, rights: RunRights
) -> ConnectorHistoryRoutes:
    return ConnectorHistoryRoutes(
        dependencies.read_models.history,
        restoring(dependencies, inbox, writer),
        dry_runs(dependencies),
        rights,
        dependencies.types,
    )


def restoring(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> Restoring:
    return Restoring(
        types=dependencies.types,
        history=dependencies.read_models.history,
        connectors=sealed_connectors(dependencies),
        in_memory=dependencies.in_memory,
        messages=dependencies.messages,
        desk=CommandDesk(command_channel(dependencies, inbox, writer), CONNECTOR_COMMANDS, CONNECTOR_VIEWS),
        clock=dependencies.clock,
        new_id=dependencies.new_id,
    )


def dry_runs(dependencies: GatewayDependencies) -> DryRuns:
    return DryRuns(
        types=dependencies.types,
        connectors=sealed_connectors(dependencies),
        in_memory=dependencies.in_memory,
        clock=dependencies.clock,
        new_id=dependencies.new_id,
    )


def saved_object_routes(dependencies: GatewayDependencies, changes: ConnectorChanges) -> SavedObjectRoutes:
    settings, views = dependencies.settings, dependencies.read_models.connectors
    id_rules = IdRules(dependencies.in_memory, settings.strict_ids)
    return SavedObjectRoutes(
        Exports(views, dependencies.types, settings.saved_objects.max_import_export_size),
        Imports(views, changes, id_rules, dependencies.new_id),
        settings.saved_objects,
    )


def command_channel(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> Channel:
    waits = dependencies.settings.gateway
    return Channel(
        messages=dependencies.messages,
        writer=writer,
        inbox=inbox,
        progress=dependencies.read_models.progress,
        waits=Waits(waits.reply_timeout, waits.projection_wait),
    )


def sealed_connectors(dependencies: GatewayDependencies) -> SealedConnectors:
    return SealedConnectors(dependencies.log, dependencies.messages, dependencies.vault)


def key_rotation(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> KeyRotation:
    channel = command_channel(dependencies, inbox, writer)
    return KeyRotation(
        connectors=sealed_connectors(dependencies),
        desk=CommandDesk(channel, CONNECTOR_COMMANDS, CONNECTOR_VIEWS),
        exclusive=dependencies.exclusive,
        clock=dependencies.clock,
        new_id=dependencies.new_id,
    )


def space_changes(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> SpaceChanges:
    read_models = dependencies.read_models
    return SpaceChanges(
        spaces=Spaces(read_models.spaces),
        connectors=read_models.connectors,
        limits=dependencies.settings.spaces,
        messages=dependencies.messages,
        desk=CommandDesk(command_channel(dependencies, inbox, writer), SPACE_COMMANDS, (SPACES.name,)),
        clock=dependencies.clock,
        new_id=dependencies.new_id,
        deletion_wait=dependencies.settings.gateway.reply_timeout,
    )


def space_deletions(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> SpaceDeletions:
    read_models, channel = dependencies.read_models, command_channel(dependencies, inbox, writer)
    return SpaceDeletions(
        log=dependencies.log,
        messages=dependencies.messages,
        spaces=read_models.spaces,
        connectors=read_models.connectors,
        references=reference_desk(dependencies, writer),
        letters=dead_letter_desk(dependencies, writer),
        space_desk=CommandDesk(channel, SPACE_COMMANDS, (SPACES.name,)),
        connector_desk=CommandDesk(channel, CONNECTOR_COMMANDS, CONNECTOR_VIEWS),
        catching_up=CatchingUp(dependencies.log, read_models.progress),
        clock=dependencies.clock,
    )


def direct_and_queued_runs(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> Executions:
    return Executions(
        messages=dependencies.messages,
        writer=writer,
        inbox=inbox,
        clock=dependencies.clock,
        new_id=dependencies.new_id,
        run_timeout=dependencies.settings.executor.run_timeout,
    )


def cancellations(dependencies: GatewayDependencies, inbox: ReplyInbox, writer: Writer) -> Cancellations:
    return Cancellations(
        log=dependencies.log,
        event_log=dependencies.read_models.event_log,
        messages=dependencies.messages,
        writer=writer,
        inbox=inbox,
        clock=dependencies.clock,
    )


def reference_desk(dependencies: GatewayDependencies, writer: Writer) -> ReferenceDesk:
    read_models = dependencies.read_models
    return ReferenceDesk(
        references=read_models.references,
        connectors=read_models.connectors,
        in_memory=dependencies.in_memory,
        progress=read_models.progress,
        messages=dependencies.messages,
        writer=writer,
        clock=dependencies.clock,
        view_wait=dependencies.settings.gateway.projection_wait,
    )


def dead_letter_desk(dependencies: GatewayDependencies, writer: Writer) -> DeadLetterDesk:
    return DeadLetterDesk(
        letters=dependencies.read_models.dead_letters,
        progress=dependencies.read_models.progress,
        messages=dependencies.messages,
        writer=writer,
        clock=dependencies.clock,
        view_wait=dependencies.settings.gateway.projection_wait,
    )
