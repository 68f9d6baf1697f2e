"""Which schemas exist and under which ids. Subjects are full record names (RecordNameStrategy)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal, TypedDict


class Released(TypedDict):
    """An entry of `registry.json`: a schema file as it was released."""

    id: int
    record: str
    version: int
    file: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """One version of a subject. `id` is what stands on the wire, `text` is the schema as JSON."""

    id: int
    subject: str
    version: int
    text: str


class NotRegistered(LookupError):
    """Asked for a subject, a version or a schema id that does not exist."""

    def __init__(self, missing: Literal["subject", "version", "schema"], message: str) -> None:
        super().__init__(message)
        self.missing = missing
        self.message = message


class SchemaRegistry:
    """Schemas by id and by subject. Only ever grows."""

    def __init__(self, schemas: Iterable[RegisteredSchema] = ()) -> None:
        self._by_id: dict[int, RegisteredSchema] = {}
        self._by_subject: dict[str, dict[int, RegisteredSchema]] = {}
        for schema in schemas:
            self.add(schema)

    def __iter__(self) -> Iterator[RegisteredSchema]:
        return iter(self._by_id.values())

    def add(self, schema: RegisteredSchema) -> None:
        self._by_id[schema.id] = schema
        self._by_subject.setdefault(schema.subject, {})[schema.version] = schema

    def schema(self, schema_id: int) -> RegisteredSchema:
        """Raises `NotRegistered`."""
        try:
            return self._by_id[schema_id]
        except KeyError:
            raise NotRegistered("schema", f"Schema {schema_id} not found") from None

    def by_id(self, schema_id: int) -> str:
        """The text of a schema. Raises `NotRegistered`."""
        return self.schema(schema_id).text

    def subjects(self) -> list[str]:
        return sorted(self._by_subject)

    def versions(self, subject: str) -> list[int]:
        """Version numbers in ascending order. Raises `NotRegistered`."""
        return sorted(self._versions(subject))

    def version(self, subject: str, version: int) -> RegisteredSchema:
        """Raises `NotRegistered`, which tells an unknown subject from an unknown version."""
        try:
            return self._versions(subject)[version]
        except KeyError:
            raise NotRegistered("version", f"Version {version} not found.") from None

    def latest(self, subject: str) -> RegisteredSchema:
        """Raises `NotRegistered`."""
        versions = self._versions(subject)
        return versions[max(versions)]

    def find(self, subject: str, text: str) -> RegisteredSchema:
        """The version of the subject that says the same as `text`. Raises `NotRegistered`."""
        wanted = fingerprint(text)
        for schema in self._versions(subject).values():
            if fingerprint(schema.text) == wanted:
                return schema
        raise NotRegistered("schema", f"Schema of {subject} not found")

    def _versions(self, subject: str) -> dict[int, RegisteredSchema]:
        try:
            return self._by_subject[subject]
        except KeyError:
            raise NotRegistered("subject", f"Subject '{subject}' not found.") from None


@cache
def bundled_schemas() -> SchemaRegistry:
    """The schemas that come with this package, under their fixed ids."""
    return SchemaRegistry(
        RegisteredSchema(entry["id"], entry["record"], entry["version"], canonical(schema_file(entry["file"])))
        for entry in released()
    )


def released() -> list[Released]:
    """What `registry.json` lists."""
    entries: list[Released] = json.loads(files("connectory_schemas").joinpath("registry.json").read_text("utf-8"))
    return entries


def schema_file(name: str) -> str:
    """The text of a file in `avro/`."""
    return files("connectory_schemas").joinpath("avro", name).read_text("utf-8")


def canonical(text: str) -> str:
    """The schema as compact JSON with sorted keys.

    Unlike Avro's parsing canonical form it keeps docs, defaults and logical types: all are part of a release.
    """
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(text: str) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return sha256(canonical(text).encode()).hexdigest()
