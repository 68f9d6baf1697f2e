"""Writes `kafka_jars.txt` anew, for whoever moves to another version of the broker: run this module."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jgo.maven import Artifact, MavenContext

KAFKA: Final = "org.apache.kafka:kafka_2.13:4.1.1"
# What the broker logs with; the version is that of the log4j-core it comes with.
LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
HEADING: Final = (
    f"# sha256, size in bytes and coordinates of every jar of the broker. Written by: python -m {__spec__.name}"
)


def broker_artifacts(maven: MavenContext) -> Iterator[Artifact]:
    """The broker with all that it needs to run, and its logging.

    The logging is not resolved with the broker: what it manages of the versions of others would win over the broker's.
    """
    broker, needed = maven.resolver.resolve([maven.create_dependency(KAFKA)])
    for dependency in (*broker, *needed, maven.create_dependency(LOGGING)):
        yield dependency.artifact


def pin(artifact: Artifact) -> str:
    content = artifact.resolve().read_bytes()
    coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
    return f"{hashlib.sha256(content).hexdigest()} {len(content)} {coordinates}"


def main() -> None:
    with tempfile.TemporaryDirectory() as unfinished:
        maven = MavenContext(repo_cache=Path(unfinished))
        lines = sorted((pin(artifact) for artifact in broker_artifacts(maven)), key=lambda line: line.split()[2])
    Path(__file__).with_name("kafka_jars.txt").write_text("\n".join([HEADING, *lines]) + "\n")


if __name__ == "__main__":
    main()
