"""The bodies and queries of the routes for saved objects, and the checks that need nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, TypeAlias

from annotated_types import Len
from pydantic import AfterValidator, BeforeValidator, Field

from connectory.gateway.errors import Rejected
from connectory.gateway.saved_objects import texts
from connectory.gateway.saved_objects.exporting import check_types
from connectory.gateway.saved_objects.objects import LONGEST_ID, ObjectKey
from connectory.gateway.saved_objects.planning import ImportWishes
from connectory.gateway.saved_objects.resolving import Retry, check_retries
from connectory.gateway.validation import Flag, Schema, at_least_one_character, never_null, problem, too_long_text

MOST_RETRIES: Final = 10_000
MOST_REPLACED_REFERENCES: Final = 100
MOST_TARGETS: Final = 1000
"""Spaces that one copy goes to."""

_SPACE_ID: Final = re.compile("[a-z0-9_-]+")


def _one_as_list(value: object) -> object:
    return [value] if isinstance(value, (str, Mapping)) else value


def _space_id(text: str) -> str:
    if not _SPACE_ID.fullmatch(text):
        raise problem(texts.SPACE_ID)
    return text


def _keys_are_space_ids(retries: dict[str, Any]) -> dict[str, Any]:
    for key in retries:
        if not _SPACE_ID.fullmatch(key):
            raise problem(texts.SPACE_ID, (f'key("{key}")',))
    return retries


def _short_in_bytes(text: str) -> str:
    length = len(text.encode("utf-8", "replace"))
    if length > LONGEST_ID:
        raise problem(too_long_text(length, LONGEST_ID))
    return text


Id: TypeAlias = Annotated[str, AfterValidator(at_least_one_character), AfterValidator(_short_in_bytes)]
SpaceId: TypeAlias = Annotated[str, AfterValidator(_space_id)]


class ObjectName(Schema):
    type: str
    id: str

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.type, self.id)


TypeList: TypeAlias = Annotated[list[str], BeforeValidator(_one_as_list, json_schema_input_type=str | list[str])]
NameList: TypeAlias = Annotated[
    list[ObjectName], BeforeValidator(_one_as_list, json_schema_input_type=ObjectName | list[ObjectName])
]


class ExportBody(Schema):
    """What is to be exported: all of some types, or the objects that are named."""

    type: Annotated[TypeList | None, never_null("array")] = None
    has_reference: Annotated[NameList | None, never_null("array")] = Field(default=None, alias="hasReference")
    objects: Annotated[list[ObjectName] | None, never_null("array")] = None
    search: Annotated[str | None, never_null("string")] = None
    include_references_deep: bool = Field(default=False, alias="includeReferencesDeep")
    exclude_export_details: bool = Field(default=False, alias="excludeExportDetails")

    @property
    def keys(self) -> list[ObjectKey]:
        return [each.key for each in self.objects or ()]

    def check_together(self) -> None:
        """Raises `Rejected` (400) for what does not go together."""
        if not self.type and not self.objects:
            raise Rejected.bad_request(texts.EITHER)
        if self.type and self.objects:
            raise Rejected.bad_request(texts.TYPES_AND_OBJECTS)
        if self.objects and self.search is not None:
            raise Rejected.bad_request(texts.SEARCH_AND_OBJECTS)
        if self.objects and self.has_reference:
            raise Rejected.bad_request(texts.REFERENCES_AND_OBJECTS)
        check_types(self.type or [key.type for key in self.keys])


class ImportQuery(Schema):
    """`compatibilityMode` is about addresses of objects in Kibana's own pages: it changes nothing here."""

    overwrite: Flag = False
    create_new_copies: Flag = Field(default=False, alias="createNewCopies")
    compatibility_mode: Flag = Field(default=False, alias="compatibilityMode")

    def wishes(self) -> ImportWishes:
        """Raises `Rejected` (400) for what does not go together."""
        if self.overwrite and self.create_new_copies:
            raise Rejected.bad_request(texts.OVERWRITE_COPIES)
        if self.create_new_copies and self.compatibility_mode:
            raise Rejected.bad_request(texts.COPIES_COMPATIBLY)
        return ImportWishes(self.overwrite, self.create_new_copies)


class ResolveQuery(Schema):
    create_new_copies: Flag = Field(default=False, alias="createNewCopies")
    compatibility_mode: Flag = Field(default=False, alias="compatibilityMode")

    def check_together(self) -> None:
        """Raises `Rejected` (400)."""
        if self.create_new_copies and self.compatibility_mode:
            raise Rejected.bad_request(texts.COPIES_COMPATIBLY)


class ReplacedReference(Schema):
    type: str
    from_: str = Field(alias="from")
    to: str


class CopyRetryBody(Schema):
    """What is to be done with one object this time."""

    type: str
    id: str
    overwrite: bool = False
    destination_id: Annotated[Id | None, never_null("string")] = Field(default=None, alias="destinationId")
    create_new_copy: bool = Field(default=False, alias="createNewCopy")
    ignore_missing_references: bool = Field(default=False, alias="ignoreMissingReferences")

    def retry(self) -> Retry:
        return Retry(
            key=ObjectKey(self.type, self.id),
            overwrite=self.overwrite,
            destination_id=self.destination_id,
            replaced_references={},
            create_new_copy=self.create_new_copy,
            ignore_missing_references=self.ignore_missing_references,
        )


class RetryBody(CopyRetryBody):
    replace_references: Annotated[list[ReplacedReference], Len(0, MOST_REPLACED_REFERENCES)] = Field(
        default=[], alias="replaceReferences"
    )

    def retry(self) -> Retry:
        replaced = {ObjectKey(each.type, each.from_): ObjectKey(each.type, each.to) for each in self.replace_references}
        return replace(CopyRetryBody.retry(self), replaced_references=replaced)


class RetriesForm(Schema):
    """The form of a second try, but for its file."""

    retries: Annotated[list[RetryBody], Len(0, MOST_RETRIES)]

    def checked(self, *, create_new_copies: bool) -> list[Retry]:
        """Raises `Rejected` (400) for retries that contradict one another."""
        return _checked(self.retries, create_new_copies=create_new_copies)


class CopyFlags(Schema):
    objects: list[ObjectName]
    include_references: bool = Field(default=False, alias="includeReferences")
    overwrite: bool = False
    create_new_copies: bool = Field(default=True, alias="createNewCopies")
    compatibility_mode: bool = Field(default=False, alias="compatibilityMode")

    @property
    def keys(self) -> list[ObjectKey]:
        return [each.key for each in self.objects]

    def wishes(self) -> ImportWishes:
        """Raises `Rejected` (400) for what does not go together."""
        if len(set(self.keys)) < len(self.keys):
            raise Rejected.bad_request(texts.SAME_OBJECTS)
        if self.overwrite and self.create_new_copies:
            raise Rejected.bad_request(texts.OVERWRITE_COPIES)
        if self.compatibility_mode and self.create_new_copies:
            raise Rejected.bad_request(texts.COMPATIBLE_COPIES)
        check_types([key.type for key in self.keys])
        return ImportWishes(self.overwrite, self.create_new_copies)


class Targets(Schema):
    spaces: Annotated[list[SpaceId], Len(0, MOST_TARGETS)]


class CopyBody(CopyFlags, Targets):
    """The spaces come first, in the order of problems too."""

    def targets(self) -> Sequence[str]:
        """Raises `Rejected` (400) when one is named twice."""
        if len(set(self.spaces)) < len(self.spaces):
            raise Rejected.bad_request(texts.SAME_SPACES)
        return self.spaces


class RetriesBySpace(Schema):
    retries: Annotated[dict[str, list[CopyRetryBody]], Len(0, MOST_TARGETS), AfterValidator(_keys_are_space_ids)]


class ResolveCopyBody(CopyFlags, RetriesBySpace):
    """With `overwrite` every retry has it. The retries come first, in the order of problems too."""

    def checked(self) -> Mapping[str, Sequence[Retry]]:
        """Raises `Rejected` (400) for retries that contradict one another."""
        copies = self.create_new_copies
        return {
            space_id: _checked(wanted, create_new_copies=copies, overwrite=self.overwrite)
            for space_id, wanted in self.retries.items()
        }


def _checked(bodies: Sequence[CopyRetryBody], *, create_new_copies: bool, overwrite: bool = False) -> list[Retry]:
    retries = [each.retry() for each in bodies]
    check_retries(retries, create_new_copies=create_new_copies)
    return [replace(each, overwrite=True) for each in retries] if overwrite else retries
