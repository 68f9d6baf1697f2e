"""Reads the SQL beside the projections: named statements and numbered migrations."""

import hashlib
import re
from pathlib import Path

from connectory_projections.model import Migration

_NAME = re.compile(r"^-- name: (\w+)[ \t]*\n", re.MULTILINE)
_MIGRATIONS = Path(__file__).parent / "migrations"


def load_statements(module_file: str) -> dict[str, str]:
    """The statements of the `.sql` file beside a module: name → text. Each starts with a line `-- name: NAME`."""
    text = Path(module_file).with_suffix(".sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def load_migrations(scope: str) -> tuple[Migration, ...]:
    """The files `migrations/SCOPE/NNNN_what_it_does.sql` in order of their numbers."""
    return tuple(_migration(scope, path) for path in sorted((_MIGRATIONS / scope).glob("*.sql")))


def _migration(scope: str, path: Path) -> Migration:
    number, name = path.stem.split("_", 1)
    text = path.read_text(encoding="utf-8")
    return Migration(scope, int(number), name, text, hashlib.sha256(text.encode()).hexdigest())
