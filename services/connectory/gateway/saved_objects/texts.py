"""The words of what is refused before anything is exported, imported or copied; values are put in by the callers."""

from typing import Final

EITHER: Final = "Either `type` or `objects` are required."
TYPES_AND_OBJECTS: Final = 'Can\'t specify both "types" and "objects" properties when exporting'
SEARCH_AND_OBJECTS: Final = 'Can\'t specify both "search" and "objects" properties when exporting'
REFERENCES_AND_OBJECTS: Final = 'Can\'t specify both "references" and "objects" properties when exporting'
FETCHING: Final = "Error fetching objects to export"

OVERWRITE_COPIES: Final = "cannot use [overwrite] with [createNewCopies]"
COPIES_COMPATIBLY: Final = "cannot use [createNewCopies] with [compatibilityMode]"
COMPATIBLE_COPIES: Final = "cannot use [compatibilityMode] with [createNewCopies]"
FETCHING_REFERENCES: Final = "Error fetching references for imported objects"

SAME_SPACES: Final = "duplicate space ids are not allowed"
SAME_OBJECTS: Final = "duplicate objects are not allowed"
NOT_FOUND: Final = "Saved objects not found"
SPACE_ID: Final = "must be lower case, a-z, 0-9, '_', and '-' are allowed"


def too_many_exported(limit: int | str) -> str:
    return f"Can't export more than {limit} objects"


def not_exportable(types: str) -> str:
    return f"Trying to export non-exportable type(s): {types}"


def too_many_imported(limit: int | str) -> str:
    return f"Can't import more than {limit} objects"


def bad_extension(extension: str) -> str:
    return f"Invalid file extension {extension}"


def bad_line(number: int | str, problem: str) -> str:
    return f"Invalid file content: line {number} {problem}"


def repeated_objects(keys: str) -> str:
    return f"Non-unique import objects detected: [{keys}]"


def repeated_retries(keys: str) -> str:
    return f"Non-unique retry objects: [{keys}]"


def repeated_destinations(keys: str) -> str:
    return f"Non-unique retry destinations: [{keys}]"
