"""Words of saved objects that both sides of the wire know."""

from typing import Final

RESOLVABLE: Final = frozenset({"conflict", "ambiguous_conflict", "missing_references"})
"""Errors of an import that its caller can resolve. While there is one, nothing of the whole import is written."""
