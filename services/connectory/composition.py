"""The composition root: the one place where settings become adapters, and adapters become running roles.

Each role opens for itself what it needs, within what supervision starts again: a role that failed comes back with fresh
connections. The roles of a process share its log.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from connectory import __version__
from connectory.aggregate import run_aggregates
from connectory.connector_types.basic_auth import basic
from connectory.connector_types.bulk_indexing import Elasticsearch
from connectory.connector_types.contract import Surroundings, TypeSettings
from connectory.connector_types.mail_settings import MailSettings
from connectory.connector_types.plugins import all_types
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.breaker import BreakerPolicy
from connectory.domain.errors import SettingsInvalid
from connectory.domain.in_memory_connectors import InMemoryConnectors
from connectory.domain.rate_limit import RateLimit
from connectory.domain.retry import RetryPolicy
from connectory.domain.run_window import RunWindow
from connectory.executor import LimitRule, Limits, ReportSettings, RunSettings, World, run_executor
from connectory.executor.connectors import PartitionConnectors
from connectory.executor.policies import RunPolicies
from connectory.gateway import GatewayDependencies, queried, run_gateway
from connectory.gateway.listening import CannotListen
from connectory.infra.clock import utc_now
from connectory.infra.crypto import KeyRing, SecretsVault
from connectory.infra.documents import LoggedDocuments
from connectory.infra.egress import AllowedHosts, EgressSettings, Proxy, open_egress, proxy
from connectory.infra.ids import random_id
from connectory.infra.log import Log
from connectory.infra.logging import LoggerServerLog
from connectory.infra.messages import Messages
from connectory.infra.postgres import (
    Database,
    PostgresExclusive,
    PostgresKeptKey,
    PostgresRowStore,
    migrate,
    open_database,
    watch_progress,
)
from connectory.infra.preconfigured import in_memory_connectors, unknown_types
from connectory.infra.schema_registry import open_schemas
from connectory.infra.security import Authenticator
from connectory.infra.settings import ProxySettings, RateLimitRule, RunRate, Settings, custom_hosts
from connectory.infra.settings.value_types import write_duration
from connectory.infra.supervision import keep_running
from connectory.infra.topics import CONNECTORS, topic_specs
from connectory.projector import run_projector
from connectory.replay import Rehearsal
from connectory.roles import Role
from connectory_projections import ALL as PROJECTIONS

log = logging.getLogger(__name__)

AFTERMATH_SECONDS = 5.0
"""What an executor needs after its grace: to write what it has finished, and to commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What the roles of a process share. `credentials` None: security is switched off.

    `on_bound` is told the gateway's URL each time it starts to listen.
    """

    settings: Settings
    log: Log
    credentials: Authenticator | None
    on_bound: Callable[[str], None] = lambda _url: None


async def run_roles(foundation: Foundation, roles: Sequence[Role]) -> None:
    """Run the roles until cancelled, and start each again when it fails.

    On cancellation the gateway ends first: for what it has accepted it still needs the others. Raises `CannotListen`
    and `SettingsInvalid`, which starting again does not mend.
    """
    supervised = {role: asyncio.create_task(_supervise(role, foundation), name=role) for role in roles}
    try:
        # Not `gather`, which would cancel all at once when it is cancelled.
        ended, _ = await asyncio.wait(supervised.values(), return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await _end([task for role, task in supervised.items() if role is Role.GATEWAY])
        await _end([task for role, task in supervised.items() if role is not Role.GATEWAY])


async def _supervise(role: Role, foundation: Foundation) -> None:
    """Keep the role running. What cannot be mended by starting again is raised."""
    beyond_mending: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def body() -> None:
        try:
            await _RUN[role](foundation)
        except* (CannotListen, SettingsInvalid) as errors:
            beyond_mending.set_exception(errors.exceptions[0])
            await asyncio.Event().wait()

    running = asyncio.create_task(keep_running(role, body))
    try:
        await beyond_mending
    finally:
        await _end([running])


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _run_gateway(foundation: Foundation) -> None:
    settings, types = foundation.settings, type_registry(foundation.settings)
    async with (
        open_schemas(settings.schema_registry) as schemas,
        _database(settings) as database,
        watch_progress(database) as progress,
        open_egress(egress_settings(settings)) as egress,
    ):
        dependencies = GatewayDependencies(
            settings=settings,
            log=foundation.log,
            messages=Messages(schemas),
            types=types,
            vault=vault_of(settings),
            read_models=queried(database, progress),
            exclusive=PostgresExclusive(database),
            kept_key=PostgresKeptKey(database),
            credentials=foundation.credentials,
            egress=egress,
            schemas=schemas,
            in_memory=_in_memory(settings, types),
        )
        await run_gateway(dependencies, foundation.on_bound)


async def _run_aggregate(foundation: Foundation) -> None:
    rules = type_registry(foundation.settings)
    async with open_schemas(foundation.settings.schema_registry) as schemas:
        await run_aggregates(foundation.log, Messages(schemas), rules)


async def _run_executor(foundation: Foundation) -> None:
    settings, types = foundation.settings, type_registry(foundation.settings)
    async with (
        open_schemas(settings.schema_registry) as schemas,
        open_egress(egress_settings(settings)) as egress,
        foundation.log.writer() as writer,
    ):
        messages = Messages(schemas)
        world = World(
            messages=messages,
            registry=types,
            vault=vault_of(settings),
            surroundings=Surroundings(
                egress=egress,
                server_log=LoggerServerLog(),
                now=utc_now,
                documents=LoggedDocuments(writer, messages),
            ),
            clock=utc_now,
            new_id=random_id,
            run_timeout=settings.executor.run_timeout,
            in_memory=in_memory_connectors(settings.preconfigured, types),
        )
        monitored = settings.task_manager
        reports = ReportSettings(interval=monitored.poll_interval, refresh=monitored.stats_refresh_rate)
        await run_executor(
            foundation.log, world, _limits(settings), samples=monitored.running_average_window, reports=reports
        )


async def _run_projector(foundation: Foundation) -> None:
    settings = foundation.settings
    async with open_schemas(settings.schema_registry) as schemas, _database(settings) as database:
        await migrate(database, PROJECTIONS)
        store = PostgresRowStore(database, retention=settings.event_log.retention)
        await run_projector(foundation.log, Messages(schemas), store, PROJECTIONS)


_RUN: Mapping[Role, Callable[[Foundation], Awaitable[None]]] = {
    Role.GATEWAY: _run_gateway,
    Role.AGGREGATE: _run_aggregate,
    Role.EXECUTOR: _run_executor,
    Role.PROJECTOR: _run_projector,
}


async def prepare(foundation: Foundation) -> None:
    """Make the topics and the tables that are missing. Raises `Unavailable`, `SettingsInvalid`."""
    await foundation.log.create_topics(topic_specs(foundation.settings.event_log.retention))
    async with _database(foundation.settings) as database:
        await migrate(database, PROJECTIONS)


async def open_rehearsal(settings: Settings, log: Log, messages: Messages) -> Rehearsal:
    """What shows the calls of requests without making them. Raises `Unavailable`."""
    registry, vault = type_registry(settings), vault_of(settings)
    policies = RunPolicies(RunSettings(), registry)
    in_memory = in_memory_connectors(settings.preconfigured, registry)

    async def connectors_of(partition: int) -> PartitionConnectors:
        async with log.tail(CONNECTORS, partition, 0) as tail:
            connectors = PartitionConnectors(tail, messages, registry, vault, policies, in_memory)
            await connectors.restore()
            return connectors

    partitions = await log.partition_count(CONNECTORS)
    return Rehearsal(registry=registry, connectors_of=connectors_of, partitions=partitions, clock=utc_now)


def log_grace(settings: Settings) -> float:
    """Seconds that the log leaves to the work on a partition that is taken away: more than any role takes itself."""
    return settings.executor.grace.total_seconds() + AFTERMATH_SECONDS


def type_registry(settings: Settings) -> TypeRegistry:
    actions = settings.actions
    return TypeRegistry(
        all_types(),
        settings=TypeSettings(
            hosts=AllowedHosts(actions.allowed_hosts),
            webhook_pfx_enabled=actions.webhook_pfx_enabled,
            mail=_mail_settings(settings),
            elasticsearch=_elasticsearch(settings),
        ),
        enabled_action_types=actions.enabled_action_types,
        license_type=settings.license_type,
    )


def _elasticsearch(settings: Settings) -> Elasticsearch | None:
    endpoint = settings.elasticsearch
    if not endpoint.hosts:
        return None
    authorization = None
    if endpoint.api_key is not None:
        authorization = f"ApiKey {endpoint.api_key.get_secret_value()}"
    elif endpoint.username is not None and endpoint.password is not None:
        authorization = basic(endpoint.username, endpoint.password.get_secret_value())
    return Elasticsearch(urls=tuple(endpoint.hosts), authorization=authorization)


def _mail_settings(settings: Settings) -> MailSettings:
    email = settings.email
    return MailSettings(
        enabled_services=tuple(email.services),
        domains=None if email.domain_allowlist is None else tuple(email.domain_allowlist),
        recipients=None if email.recipient_allowlist is None else tuple(email.recipient_allowlist),
        ses=None if email.ses_host is None or email.ses_port is None else (email.ses_host, email.ses_port),
        longest_body=email.effective_body_length,
        with_footer=email.footer,
        public_base_url=settings.server.public_base_url,
        graph_url=email.microsoft_graph_url,
        graph_scope=email.microsoft_graph_scope,
        exchange_url=email.microsoft_exchange_url,
    )


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    if settings.database.url is None:
        raise SettingsInvalid("connectory.database.url is not set: say where Postgres is, by DATABASE_URL for example")
    async with open_database(settings.database.url, max_connections=settings.database.pool_max_size) as database:
        yield database


def _in_memory(settings: Settings, types: TypeRegistry) -> InMemoryConnectors:
    """The connectors in memory; those that can never run are named in the log."""
    connectors = in_memory_connectors(settings.preconfigured, types)
    for flaw in unknown_types(connectors, types):
        log.warning("runs through the preconfigured connector %s fail: %s", flaw.connector_id, flaw.problem)
    return connectors


def vault_of(settings: Settings) -> SecretsVault:
    """What seals and opens secrets with the keys that are set; without any it can do neither."""
    key, earlier = settings.encryption.key, settings.encryption.decryption_only_keys
    primary = key.get_secret_value() if key else None
    return SecretsVault(KeyRing(primary, [each.get_secret_value() for each in earlier]))


def egress_settings(settings: Settings) -> EgressSettings:
    """The operator's decisions about the way out. What is wrong with single hosts is logged and left out."""
    return EgressSettings(
        user_agent=f"Connectory/{__version__}",
        allowed_hosts=tuple(settings.actions.allowed_hosts),
        response_timeout=settings.actions.response_timeout,
        max_response_content_length=settings.actions.max_response_content_length,
        verification_mode=settings.actions.ssl_verification_mode,
        block_private_addresses=settings.egress.block_private_addresses,
        allowed_addresses=tuple(map(str, settings.egress.allowed_addresses)),
        max_redirects=settings.egress.max_redirects,
        proxy=_proxy(settings.proxy),
        custom_hosts={each.url: each for each in custom_hosts(settings.egress.custom_host_settings, log.warning)},
    )


def _proxy(settings: ProxySettings) -> Proxy | None:
    return proxy(
        settings.url,
        headers=settings.headers,
        bypass_hosts=settings.bypass_hosts,
        only_hosts=settings.only_hosts,
        verification_mode=settings.verification_mode,
        http_targets=settings.http_targets,
    )


def _limits(settings: Settings) -> Limits:
    executor = settings.executor
    return Limits(
        window_requests=settings.capacity.window_requests,
        window_bytes=executor.window_bytes,
        in_flight=settings.capacity.in_flight,
        dedupe_window=executor.dedupe_window,
        grace=executor.grace,
        retry=RetryPolicy(**settings.retry.model_dump()),
        breaker=BreakerPolicy(**settings.breaker.model_dump()),
        runs=_run_settings(settings),
        poll_interval=settings.task_manager.poll_interval,
    )


def _run_settings(settings: Settings) -> RunSettings:
    overrides = {each.id: each.max_attempts for each in reversed(settings.actions.run_connector_type_overrides)}
    return RunSettings(
        max_in_flight=settings.executor.in_flight_per_connector,
        max_attempts=settings.actions.run_max_attempts,
        attempts_of=overrides.get,
        limit_rules=[_limit_rule(rule) for rule in settings.rate_limits],
        windows=run_windows(settings),
    )


def run_windows(settings: Settings) -> dict[str, RunWindow]:
    """The limits on whole types, by type id. They count what the process runs: one set of them for all partitions."""
    return {f".{name}": _window(f".{name}", rate) for name, rate in settings.email.rates.items()}


def _window(type_id: str, rate: RunRate) -> RunWindow:
    span = write_duration(rate.lookback_window)
    described = f'Rate limit of {rate.limit} runs in {span} for connector type "{type_id}" is exceeded'
    return RunWindow(rate.limit, rate.lookback_window, described)


def _limit_rule(rule: RateLimitRule) -> LimitRule:
    return LimitRule(
        limit=RateLimit(per_second=rule.requests_per_second, burst=rule.burst),
        connector_id=rule.connector,
        host=rule.host,
        type_id=rule.connector_type,
    )
