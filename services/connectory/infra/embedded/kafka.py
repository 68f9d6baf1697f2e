"""A real Kafka broker as our child: one KRaft node that is broker and controller, on the loopback interface."""

import asyncio
import base64
import struct
import threading
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import Final

from connectory.infra.embedded.class_archive import ClassArchive
from connectory.infra.embedded.data_dir import hold_data_dir, require_space
from connectory.infra.embedded.errors import writing_to
from connectory.infra.embedded.jars import default_jar_cache, provide_jars
from connectory.infra.embedded.java import Java, find_java
from connectory.infra.embedded.leftovers import end_leftover, read_record
from connectory.infra.embedded.ports import LOOPBACK, choose_port, free_port, listens
from connectory.infra.embedded.processes import Launch, Server, ServerProcess, run, started
from connectory.infra.embedded.progress import Progress, Silent

DEFAULT_HEAP_MIB: Final = 512
POLL_SECONDS: Final = 0.05
RECORD: Final = "server.pid.json"
PROPERTIES: Final = "server.properties"
# On two cores, as measured with 600,000 records of 1 kB: a third less processor time, a quicker start and steadier
# answers than with the optimising compiler and the default collector, which compete with our own processes for cores.
JVM_FLAGS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-XX:-UsePerfData",
)
# What the broker does that a newer Java warns about.
QUIET_FLAGS: Final = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
# Length, api key 18, version 0, correlation id 1, no client id; a request without a body.
API_VERSIONS_REQUEST: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)


@dataclass(frozen=True, slots=True)
class EmbeddedKafka:
    """A broker that answers."""

    bootstrap_servers: str
    process: ServerProcess


@dataclass(frozen=True, slots=True)
class _Installation:
    java: Java
    jars: tuple[Path, ...]

    @property
    def classes(self) -> ClassArchive:
        return ClassArchive.of(self.java, self.jars)


@asynccontextmanager
async def embedded_kafka(
    data_dir: Path,
    port: int | None = None,
    *,
    heap_mib: int = DEFAULT_HEAP_MIB,
    progress: Progress | None = None,
    jar_cache: Path | None = None,
) -> AsyncIterator[EmbeddedKafka]:
    """Run a broker whose data are in `data_dir`/kafka, until the context ends.

    Without `port` it is the one of the last run, or another if that is taken. Raises `CannotProvision`.
    """
    watched = progress or Silent()
    with hold_data_dir(data_dir / "kafka") as directory:
        require_space(directory)
        installation = await _install(jar_cache or default_jar_cache(), watched)
        await asyncio.to_thread(end_leftover, directory / RECORD, SIGTERM)
        watched.step("Starting Kafka")
        with installation.classes.made_by() as making:
            launch = _launch(directory, installation, heap_mib, making.flags)
            process = await started(lambda: _prepared(directory, installation, launch, port))
            try:
                yield EmbeddedKafka(f"{LOOPBACK}:{process.port}", process)
            finally:
                await process.stop()
                making.has_ended(await process.wait())


async def _install(jar_cache: Path, progress: Progress) -> _Installation:
    java = await asyncio.to_thread(find_java)
    abandoned = threading.Event()
    try:
        return _Installation(java, tuple(await asyncio.to_thread(provide_jars, jar_cache, progress, abandoned)))
    finally:
        # When cancelled, the thread would go on and keep us from ending.
        abandoned.set()


def _choose_port(directory: Path, wanted: int | None) -> int:
    last = read_record(directory / RECORD)
    return choose_port(wanted, preferred=last.port if last else None, setting="--kafka-port")


async def _prepared(directory: Path, installation: _Installation, launch: Launch, wanted: int | None) -> Server:
    """The server on a port that is free now, with its configuration and its data directory."""
    port = _choose_port(directory, wanted)
    with writing_to(directory):
        for name in ("data", "log"):
            (directory / name).mkdir(exist_ok=True)
        (directory / PROPERTIES).write_text(_properties(broker_settings(port)))
    if not (directory / "data" / "meta.properties").exists():
        await run(_format(directory, installation), "prepare the data directory of the embedded Kafka")
    return _server(directory, launch, port)


def _server(directory: Path, launch: Launch, port: int) -> Server:
    return Server(
        name="Kafka",
        port=port,
        launch=launch,
        ready=lambda pid: _until_it_answers(pid, port),
        record=directory / RECORD,
        log=directory / "log" / "kafka.log",
    )


def broker_settings(port: int) -> Mapping[str, str | int]:
    """The broker's configuration. Its controller listens on another free port of the loopback interface."""
    controller = free_port(other_than=port)
    return {
        "node.id": 1,
        "process.roles": "broker,controller",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"BROKER://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"BROKER://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        # Relative to where the broker is started: no character of the path can be misread, and the place can be moved.
        "log.dirs": "data",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        # Progress must outlast a long time switched off, and expires by the clock.
        "offsets.retention.minutes": 10 * 366 * 24 * 60,
        "offsets.topic.num.partitions": 8,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # After a crash the broker is let in again when its former self has been silent for this long.
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 500,
        "num.recovery.threads.per.data.dir": 2,
        # The default takes a quarter of the heap.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }


def _properties(settings: Mapping[str, str | int]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _format(directory: Path, installation: _Installation) -> Launch:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    arguments = ["format", "--ignore-formatted", f"--cluster-id={cluster}", f"--config={PROPERTIES}"]
    flags = ["-Xmx128m", *installation.classes.flags()]
    return _java(directory, installation, flags, "kafka.tools.StorageTool", arguments)


def _launch(directory: Path, installation: _Installation, heap_mib: int, flags: Sequence[str]) -> Launch:
    return _java(directory, installation, [f"-Xmx{heap_mib}m", *flags], "kafka.Kafka", [PROPERTIES])


def _java(
    directory: Path, installation: _Installation, flags: Sequence[str], program: str, arguments: Sequence[str]
) -> Launch:
    log4j = Path(__file__).with_name("kafka_log4j2.xml")
    command = [
        str(installation.java.program),
        *flags,
        *JVM_FLAGS,
        f"-Dlog4j2.configurationFile={log4j.as_uri()}",
        "-Dconnectory.log.dir=log",
        *(QUIET_FLAGS if installation.java.version >= 24 else ()),
        "-cp",
        ":".join(map(str, installation.jars)),
        program,
        *arguments,
    ]
    return Launch(command, directory, output=directory / "log" / "output.log", stop_signal=SIGTERM)


async def _until_it_answers(pid: int, port: int) -> None:
    """Until it is our own broker: somebody else may have come to the port before it, and answer too."""
    while not (await _answers(port) and await asyncio.to_thread(listens, pid, port)):  # noqa: ASYNC110 - a process of its own
        await asyncio.sleep(POLL_SECONDS)


async def _answers(port: int) -> bool:
    """Whether the broker answers a request for the versions it speaks. It listens once it is in charge, not before."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    try:
        writer.write(API_VERSIONS_REQUEST)
        return len(await reader.read(1)) == 1
    except OSError:
        return False
    finally:
        writer.close()
