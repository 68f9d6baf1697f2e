"""Contracts of the routes about the system itself: status, version, health, document, and the registry of schemas."""

from typing import Any, Final, Literal, NotRequired, TypeAlias

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway.contract import Answer, Contract, Refusal

HealthStatus: TypeAlias = Literal["OK", "warn", "error", "uninitialized"]


class ShownVersion(TypedDict):
    number: Literal["9.3.0"]
    build_hash: str
    build_number: int
    build_snapshot: bool
    build_flavor: Literal["traditional"]
    build_date: str


class OverallStatus(TypedDict):
    level: Literal["available", "degraded", "unavailable", "critical"]
    summary: NotRequired[str]


class ShownStatus(TypedDict):
    overall: OverallStatus
    core: NotRequired[dict[str, Any]]
    plugins: NotRequired[dict[str, Any]]


@with_config(extra="forbid")
class StatusAnswer(TypedDict):
    """Without valid credentials: the level and no more."""

    status: ShownStatus
    name: NotRequired[str]
    uuid: NotRequired[str]
    version: NotRequired[ShownVersion]
    metrics: NotRequired[dict[str, Any]]


class ElasticsearchVersion(TypedDict):
    number: str
    build_flavor: str


@with_config(extra="forbid")
class ElasticsearchAnswer(TypedDict):
    name: str
    cluster_name: str
    cluster_uuid: str
    version: ElasticsearchVersion
    tagline: str


@with_config(extra="forbid")
class SchemaText(TypedDict):
    schema: str


@with_config(extra="forbid")
class ShownSchema(TypedDict):
    subject: str
    version: int
    id: int
    schema: str


@with_config(extra="forbid")
class RegistryError(TypedDict):
    """The error body that clients of schema registries know."""

    error_code: int
    message: str


class HealthSection(TypedDict):
    """`reason` only where the status is not `OK`."""

    timestamp: str
    status: HealthStatus
    reason: NotRequired[str]
    value: dict[str, Any]


@with_config(extra="forbid")
class HealthSections(TypedDict):
    configuration: HealthSection
    runtime: HealthSection
    workload: HealthSection
    capacity_estimation: HealthSection


@with_config(extra="forbid")
class TaskHealthAnswer(TypedDict):
    """Before any executor has reported: `id`, `timestamp` and `status`, and no more."""

    id: str
    timestamp: str
    status: HealthStatus
    reason: NotRequired[str]
    last_update: NotRequired[str]
    stats: NotRequired[HealthSections]


_MISSING: Final = Answer(404, "There is none", RegistryError)

STATUS: Final = Contract(
    summary="Ask whether it is up, and which version it is",
    answers=(
        Answer(200, "It is up", StatusAnswer),
        Answer(503, "Nothing that it does is possible now", StatusAnswer),
    ),
)
ROOT: Final = Contract(
    summary="Ask for the version as clients of Elasticsearch do, by `Accept: application/vnd.elasticsearch+json`",
    answers=(Answer(200, "The version", ElasticsearchAnswer),),
    refusals=(Refusal(404, "Not Found"),),
)
TASK_HEALTH: Final = Contract(
    summary="See how the executors are doing",
    answers=(Answer(200, "Their figures, and what they mean", TaskHealthAnswer),),
)
OPENAPI: Final = Contract(
    summary="Get this document",
    answers=(Answer(200, "An OpenAPI 3.1 document", {"type": "object"}),),
)
SCHEMA: Final = Contract(
    summary="Get a schema by its id",
    answers=(Answer(200, "The schema", SchemaText), _MISSING),
)
SUBJECTS: Final = Contract(
    summary="List the subjects of the schema registry",
    answers=(Answer(200, "The subjects", list[str]),),
)
VERSIONS: Final = Contract(
    summary="List the versions of a subject",
    answers=(Answer(200, "The versions", list[int]), _MISSING),
)
VERSION: Final = Contract(
    summary="Get a version of a subject, or `latest`",
    answers=(
        Answer(200, "The version", ShownSchema),
        _MISSING,
        Answer(422, "What is asked for is no version", RegistryError),
    ),
)
