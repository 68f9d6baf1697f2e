"""Gives new schema files their ids, after checking that nothing released changed.

Run as `python -m connectory_schemas.release`.
"""

import json
import re
import sys
from pathlib import Path

from connectory_schemas.compatibility import incompatibilities
from connectory_schemas.registry import Released, fingerprint

_FILE_NAME = re.compile(r"(?P<record>\w+)\.v(?P<version>[1-9]\d*)\.avsc")


class NotReleasable(ValueError):
    """A schema file that may not be released as it is."""


def release(package: Path) -> list[Released]:
    """Add the new files of `avro/` to `registry.json` and return their entries. Raises `NotReleasable`."""
    registry = package / "registry.json"
    entries: list[Released] = json.loads(registry.read_text("utf-8")) if registry.exists() else []
    folder = package / "avro"
    for entry in entries:
        check_unchanged(entry, (folder / entry["file"]).read_text("utf-8"))
    known = {entry["file"] for entry in entries}
    added: list[Released] = []
    for path in sorted((path for path in folder.glob("*.avsc") if path.name not in known), key=_version_of):
        added.append(_entry(path, [*entries, *added]))
        _check_compatible(path, added[-1], [*entries, *added[:-1]])
    registry.write_text(json.dumps([*entries, *added], indent=2) + "\n", "utf-8")
    return added


def check_unchanged(entry: Released, text: str) -> None:
    """Raises `NotReleasable` when the file is not what was released."""
    if fingerprint(text) != entry["fingerprint"]:
        raise NotReleasable(f"{entry['file']} was edited after its release: put it back and add the next version")


def _version_of(path: Path) -> tuple[int, str]:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise NotReleasable(f"{path.name} is not named <Record>.v<version>.avsc")
    return int(match["version"]), path.name


def _entry(path: Path, earlier: list[Released]) -> Released:
    text = path.read_text("utf-8")
    schema = json.loads(text)
    version, _ = _version_of(path)
    record = f"{schema['namespace']}.{schema['name']}"
    expected = 1 + sum(entry["record"] == record for entry in earlier)
    if version != expected or not path.name.startswith(f"{schema['name']}."):
        raise NotReleasable(f"{path.name} holds {record}, whose next version is {expected}")
    next_id = 1 + max((entry["id"] for entry in earlier), default=0)
    return Released(id=next_id, record=record, version=version, file=path.name, fingerprint=fingerprint(text))


def _check_compatible(path: Path, entry: Released, earlier: list[Released]) -> None:
    for other in (other for other in earlier if other["record"] == entry["record"]):
        older = path.with_name(other["file"]).read_text("utf-8")
        if problems := incompatibilities(older, path.read_text("utf-8")):
            raise NotReleasable(f"{path.name} and {other['file']}: {'; '.join(problems)}")


if __name__ == "__main__":
    for released in release(Path(__file__).parent):
        sys.stdout.write(f"{released['id']}\t{released['file']}\n")
