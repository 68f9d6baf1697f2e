"""Contracts of the routes that take connectors out, bring them in, and copy them to other spaces."""

from typing import Any, Final, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.domain.json_types import JsonObject
from connectory.gateway import authorization
from connectory.gateway.contract import FORM, Answer, Contract, Refusal
from connectory.gateway.saved_objects import texts
from connectory.gateway.saved_objects.bodies import (
    CopyBody,
    ExportBody,
    ImportQuery,
    ResolveCopyBody,
    ResolveQuery,
    RetriesForm,
)
from connectory.gateway.saved_objects.ndjson import MEDIA_TYPE


@with_config(extra="forbid")
class ImportSuccess(TypedDict):
    """An object that was written, or would be if nothing stood in the way of others."""

    type: str
    id: str
    meta: dict[str, str]
    managed: bool
    overwrite: NotRequired[bool]
    destinationId: NotRequired[str]
    createNewCopy: NotRequired[bool]


@with_config(extra="forbid")
class ImportFailure(TypedDict):
    """`error.type` is `conflict`, `ambiguous_conflict`, `missing_references`, `unsupported_type` or `unknown`."""

    type: str
    id: str
    meta: dict[str, str]
    error: dict[str, Any]
    overwrite: NotRequired[bool]


@with_config(extra="forbid")
class NeededAction(TypedDict):
    type: Literal["action_required"]
    message: str
    actionPath: str
    buttonLabel: str


@with_config(extra="forbid")
class CopyResult(TypedDict):
    success: bool
    successCount: int
    successResults: NotRequired[list[ImportSuccess]]
    errors: NotRequired[list[ImportFailure]]


@with_config(extra="forbid")
class ImportResult(CopyResult):
    warnings: list[NeededAction]


_FILE: Final[JsonObject] = {"type": "string", "format": "binary", "description": "A file named `….ndjson`"}
_RETRIES: Final = RetriesForm.model_json_schema()


def _form(**parts: JsonObject) -> JsonObject:
    return {"type": "object", "properties": parts, "required": [*parts], "additionalProperties": False}


def _refused(*words: str) -> tuple[Refusal, ...]:
    return tuple(Refusal(400, text) for text in words)


_NO_FILE: Final = _refused(
    "[request body.file]: expected value of type [Stream] but got [<undefined or string>]",
    texts.bad_extension("<extension>"),
    texts.bad_line("<number>", "<what is wrong with it>"),
    texts.too_many_imported("<n>"),
    texts.repeated_objects("<type>:<id>"),
    texts.FETCHING_REFERENCES,
)
_CONTRADICTORY_RETRIES: Final = _refused(
    texts.repeated_retries("<type>:<id>"), texts.repeated_destinations("<type>:<id>")
)
_NO_COPY: Final = (
    *_refused(
        texts.OVERWRITE_COPIES,
        texts.COMPATIBLE_COPIES,
        texts.SAME_OBJECTS,
        texts.not_exportable("<types>"),
        texts.too_many_exported("<n>"),
    ),
    Refusal.denied(authorization.COPY_TO_SPACES),
    Refusal(404, texts.NOT_FOUND),
)

EXPORT: Final = Contract(
    summary="Take connectors out, as lines of JSON without secrets",
    body=ExportBody,
    answers=(Answer(200, "A line for each, and one of counts", {"type": "string"}, MEDIA_TYPE),),
    refusals=(
        *_refused(
            texts.EITHER,
            texts.TYPES_AND_OBJECTS,
            texts.SEARCH_AND_OBJECTS,
            texts.REFERENCES_AND_OBJECTS,
            texts.too_many_exported("<n>"),
            texts.not_exportable("<types>"),
        ),
        Refusal.denied(authorization.EXPORT_ACTIONS),
        Refusal(400, texts.FETCHING),
    ),
)
IMPORT: Final = Contract(
    summary="Bring in the connectors of a file",
    query=ImportQuery,
    body=_form(file=_FILE),
    body_type=FORM,
    answers=(Answer(200, "What became of each", ImportResult),),
    refusals=(
        *_refused(texts.OVERWRITE_COPIES, texts.COPIES_COMPATIBLY),
        *_NO_FILE,
        Refusal.denied(authorization.IMPORT_ACTIONS),
    ),
    repeatable=True,
)
RESOLVE: Final = Contract(
    summary="Bring in those connectors of a file for which it is said what to do",
    query=ResolveQuery,
    body={**_form(file=_FILE, retries=_RETRIES["properties"]["retries"]), "$defs": _RETRIES["$defs"]},
    body_type=FORM,
    answers=(Answer(200, "What became of each that was named", ImportResult),),
    refusals=(
        *_refused(texts.COPIES_COMPATIBLY),
        *_CONTRADICTORY_RETRIES,
        *_NO_FILE,
        Refusal.denied(authorization.IMPORT_ACTIONS),
    ),
    repeatable=True,
)
COPY: Final = Contract(
    summary="Copy connectors of this space to others, without their secrets",
    body=CopyBody,
    answers=(Answer(200, "What became of each, by space", dict[str, CopyResult]),),
    refusals=(*_refused(texts.SAME_SPACES), *_NO_COPY),
    repeatable=True,
)
RESOLVE_COPY: Final = Contract(
    summary="Copy those connectors for which it is said what to do in each space",
    body=ResolveCopyBody,
    answers=(Answer(200, "What became of each that was named, by space", dict[str, CopyResult]),),
    refusals=(*_CONTRADICTORY_RETRIES, *_NO_COPY),
    repeatable=True,
)
