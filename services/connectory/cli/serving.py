"""One role in a process of its own: what must be set, the topics, and the role."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connectory.cli.accounts import Access, give_access
from connectory.composition import Foundation, log_grace, run_roles
from connectory.domain.errors import SettingsInvalid, Unavailable
from connectory.infra.kafka import open_kafka_log
from connectory.infra.log import Log
from connectory.infra.security import SECURITY_FILE
from connectory.infra.settings import Settings
from connectory.infra.topics import TopicSpec, topic_specs
from connectory.roles import Role

SEALING: Final = (Role.GATEWAY, Role.AGGREGATE, Role.EXECUTOR)
"""Roles that handle secrets. With different keys they would not understand each other."""

WAIT_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


async def serve_role(role: Role, settings: Settings, data_dir: Path) -> None:
    """Run until cancelled. Raises `SettingsInvalid`, `CannotListen`."""
    check(role, settings, data_dir)
    access = await give_access(settings, data_dir) if role is Role.GATEWAY else Access(None)
    async with open_kafka_log(settings.kafka, grace=log_grace(settings)) as opened:
        await _create_topics(opened, topic_specs(settings.event_log.retention))
        log.info("the %s starts on Kafka at %s", role.value, settings.kafka.bootstrap_servers)
        foundation = Foundation(
            settings=settings,
            log=opened,
            credentials=access.credentials,
            on_bound=lambda url: log.info("listening on %s", url),
        )
        await run_roles(foundation, [role])


def check(role: Role, settings: Settings, data_dir: Path) -> None:
    """Raise `SettingsInvalid` with one line for each setting that the role cannot do without."""
    problems = []
    if settings.kafka.bootstrap_servers is None:
        problems.append("connectory.kafka.bootstrapServers is not set: set KAFKA_BOOTSTRAP_SERVERS to host:port")
    if settings.database.url is None and role in (Role.GATEWAY, Role.PROJECTOR):
        problems.append("connectory.database.url is not set: set DATABASE_URL to postgresql://user:password@host/name")
    if settings.encryption.key is None and role in SEALING:
        problems.append(
            "xpack.encryptedSavedObjects.encryptionKey is not set: make one with `connectory keys generate`, and give "
            "gateway, aggregate and executor the same"
        )
    if role is Role.GATEWAY and not _has_users(settings, data_dir):
        problems.append(
            "nobody could log in: set CONNECTORY_ADMIN_PASSWORD, or connectory.security.file to a file of users"
        )
    if problems:
        raise SettingsInvalid("\n".join(problems))


def _has_users(settings: Settings, data_dir: Path) -> bool:
    security = settings.security
    given = security.file is not None or security.admin_password is not None
    return given or not security.enabled or (data_dir / SECURITY_FILE).exists()


async def _create_topics(opened: Log, specs: Sequence[TopicSpec]) -> None:
    """Wait for the broker, as the roles do from then on."""
    while True:
        try:
            await opened.create_topics(specs)
        except Unavailable as error:
            log.warning("waiting for the broker: %s", error)
            await asyncio.sleep(WAIT_SECONDS)
        else:
            return
