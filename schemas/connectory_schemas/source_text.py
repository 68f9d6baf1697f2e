"""Functions whose text is made from a schema, as those of dataclasses are made from their fields.

What depends on the schema alone is then decided once, when the text is made: for each record nothing is left but the
reading or writing of its values, without a call for each.
"""

import itertools
from collections.abc import Callable
from keyword import iskeyword
from typing import Any


class SourceText:
    """The text of one function as it grows, and the objects that it names.

    Nothing of a schema gets into the text but names of fields, which `identifier` has checked: a schema may come from
    elsewhere.
    """

    def __init__(self, name: str, *parameters: str) -> None:
        self._name = name
        self._lines = [f"def {name}({', '.join(parameters)}):"]
        self._bound: dict[str, object] = {}
        self._numbers = itertools.count()

    def variable(self) -> str:
        """A name that the function does not use yet."""
        return f"v{next(self._numbers)}"

    def bind(self, value: object) -> str:
        """The name by which the text can use an object."""
        name = f"bound{next(self._numbers)}"
        self._bound[name] = value
        return name

    def add(self, *lines: str, indent: int = 1) -> None:
        self._lines.extend("    " * indent + line for line in lines)

    def compiled(self) -> Callable[..., Any]:
        """The function itself."""
        text = "\n".join(self._lines)
        exec(compile(text, f"<{self._name} made from a schema>", "exec"), self._bound)
        function: Callable[..., Any] = self._bound[self._name]  # type: ignore[assignment]  # what was defined just now
        return function


def identifier(name: object) -> str:
    """The name, when it can stand in a text as one. Raises ValueError."""
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise ValueError(f"{name!r} is no name of a field")
    return name
