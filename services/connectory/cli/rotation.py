"""What `connectory keys rotate` works with: the rotation, opened on the servers that an installation uses."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectory.gateway.key_rotation import KeyRotation
    from connectory.infra.settings import Settings

CALLER = "connectory keys rotate"
"""Who changed the connectors, as their history shows it."""


@asynccontextmanager
async def open_rotation(
    data_dir: Path, config: Path | None, kibana_config: Path | None
) -> "AsyncIterator[KeyRotation]":
    """Raises `NotRunning`, `SettingsInvalid`, `Unavailable`."""
    from connectory.cli.projections import database_url
    from connectory.client import open_log
    from connectory.composition import vault_of
    from connectory.gateway.commanding import Channel, CommandDesk, Waits
    from connectory.gateway.key_rotation import KeyRotation
    from connectory.gateway.origin import random_id
    from connectory.gateway.replies import ReplyInbox
    from connectory.gateway.sealed_connectors import SealedConnectors
    from connectory.infra.clock import utc_now
    from connectory.infra.messages import Messages
    from connectory.infra.postgres import PostgresExclusive, open_database
    from connectory.infra.progress import Progress
    from connectory.infra.schema_registry import open_schemas
    from connectory.infra.settings import load_settings
    from connectory.infra.topics import CONNECTOR_COMMANDS

    settings = _with_key(load_settings(config_file=config, kibana_config=kibana_config), data_dir)
    async with (
        open_log(settings.kafka, data_dir=data_dir) as log,
        open_schemas(settings.schema_registry) as schemas,
        open_database(database_url(settings, data_dir)) as database,
        log.writer() as writer,
    ):
        messages = Messages(schemas)
        inbox = ReplyInbox(log, messages, random.Random())
        waits = Waits(settings.gateway.reply_timeout, settings.gateway.projection_wait)
        channel = Channel(messages, writer, inbox, Progress(), waits)
        async with inbox.open():
            await inbox.found()
            yield KeyRotation(
                connectors=SealedConnectors(log, messages, vault_of(settings)),
                desk=CommandDesk(channel, CONNECTOR_COMMANDS, views=()),
                exclusive=PostgresExclusive(database),
                clock=utc_now,
                new_id=random_id,
            )


def _with_key(settings: "Settings", data_dir: Path) -> "Settings":
    """With the key that `connectory up` keeps in the data directory, if none is set."""
    from connectory.cli.standalone import with_key
    from connectory.infra.crypto import KEY_FILE

    return with_key(settings, data_dir) if (data_dir / KEY_FILE).exists() else settings
