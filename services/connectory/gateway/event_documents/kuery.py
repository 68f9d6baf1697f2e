"""KQL, the query language of Kibana's filters: its text becomes a condition on documents.

The grammar is in `kuery.lark`. Values mean what they mean for the kind of their field, which `asking` knows.
"""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from connectory.domain.errors import ConnectoryError
from connectory_projections.event_documents import asking
from connectory_projections.event_documents.conditions import (
    EVERYTHING,
    NOTHING,
    Condition,
    Entry,
    Parts,
    all_of,
    any_of,
    clauses,
    negation,
)
from connectory_projections.event_documents.fields import NESTED

DEEPEST: Final = 50
"""Parentheses and braces within one another."""

MOST_CLAUSES: Final = 1000
"""Conditions on single fields; a term without a field counts once for each that it is looked for in."""

_COMPARISONS: Final[dict[str, asking.Comparison]] = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
UNICODE_ESCAPE: Final = 5
"""Characters of one, such as `u00e9`."""

_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-f]{4}|or|and|not|.)|\*", re.IGNORECASE | re.DOTALL)
_QUOTED_ESCAPE: Final = re.compile(r'\\(?:u[0-9a-f]{4}|[trn"\\])', re.IGNORECASE)
_CONTROL: Final = {"t": "\t", "r": "\r", "n": "\n"}
_NESTING: Final = re.compile(r'\\.|"(?:[^"\\]|\\.)*"|([({])|([)}])', re.DOTALL)
ANY_FIELD: Final[Parts] = ("", "")


class KueryInvalid(ConnectoryError):
    """Text that is no KQL, or asks for more than can be answered."""

    code = "kuery-invalid"


class Literal(NamedTuple):
    """A value or the name of a field. More than one part: it has wildcards between them."""

    parts: Parts
    is_phrase: bool

    @property
    def has_wildcards(self) -> bool:
        return len(self.parts) > 1


Node: TypeAlias = Tree[Token] | Token


def read_kuery(text: str, now: datetime) -> Condition:
    """What the text asks for; blank text is met by everything. `now` is for dates that are told by it.

    Raises `KueryInvalid`.
    """
    if _depth(text) > DEEPEST:
        raise KueryInvalid(f"the query has more than {DEEPEST} parentheses within one another")
    try:
        tree = _parser().parse(text)
    except LarkError as error:
        raise KueryInvalid(f"the query is no KQL: {str(error).splitlines()[0]}") from error
    condition = EVERYTHING if tree.children == [None] else _Reading(now).condition(tree.children[0])
    if clauses(condition) > MOST_CLAUSES:
        raise KueryInvalid(f"the query has more than {MOST_CLAUSES} conditions")
    return condition


class _Reading:
    """Goes down the tree. `path` is that of the nested field whose entries are looked at, with a point behind it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def condition(self, node: Node, path: str = "") -> Condition:
        match node:
            case Tree(data="disjunction", children=children):
                return any_of(self.condition(each, path) for each in children)
            case Tree(data="conjunction", children=children):
                return all_of(self.condition(each, path) for each in children)
            case Tree(data="negated", children=[of]):
                return negation(self.condition(of, path))
            case Tree(data="nested", children=[Token() as name, of]):
                return self._nested(path + "*".join(_literal(name).parts), of)
            case Tree(data="compared", children=[Token() as name, Token() as sign, Token() as value]):
                value_text = "*".join(_literal(value).parts)
                return asking.compares(_named(path, name), _COMPARISONS[sign], value_text, self._now)
            case Tree(data="of_field", children=[Token() as name, values]):
                return self._values(_named(path, name), values)
            case Tree(data="anywhere", children=[Token() as value]):
                return self._anywhere(_literal(value))
            case _:
                raise AssertionError(f"the grammar has no {node}")

    def _values(self, name: Parts, node: Node) -> Condition:
        match node:
            case Token():
                return self._value(name, _literal(node))
            case Tree(data="disjunction", children=children):
                return any_of(self._values(name, each) for each in children)
            case Tree(data="conjunction", children=children):
                return all_of(self._values(name, each) for each in children)
            case Tree(data="negated", children=[of]):
                return negation(self._values(name, of))
            case _:
                raise AssertionError(f"the grammar has no {node}")

    def _value(self, name: Parts, value: Literal) -> Condition:
        if value.has_wildcards:
            return asking.like(name, value.parts)
        return asking.equals(name, value.parts[0], self._now, as_phrase=value.is_phrase)

    def _anywhere(self, value: Literal) -> Condition:
        return EVERYTHING if value.parts == ANY_FIELD else self._value(ANY_FIELD, value)

    def _nested(self, path: str, of: Node) -> Condition:
        condition = self.condition(of, f"{path}.")
        return Entry(condition) if path == NESTED else NOTHING


def _named(path: str, name: Token) -> Parts:
    first, *others = _literal(name).parts
    return (path + first, *others)


def _literal(token: Token) -> Literal:
    if token.type == "QUOTED":
        return Literal((_QUOTED_ESCAPE.sub(_unescaped, token[1:-1]),), is_phrase=True)
    parts, place, text = [""], 0, token.rstrip()
    for found in _ESCAPE.finditer(text):
        parts[-1] += text[place : found.start()]
        if found[0] == "*":
            parts.append("")
        else:
            parts[-1] += _unescaped(found)
        place = found.end()
    parts[-1] += text[place:]
    return Literal(tuple(parts), is_phrase=False)


def _unescaped(found: re.Match[str]) -> str:
    escaped = found[0][1:]
    if len(escaped) == UNICODE_ESCAPE and escaped[0] in "uU":
        return chr(int(escaped[1:], 16))
    return _CONTROL.get(escaped, escaped)


def _depth(text: str) -> int:
    depth = deepest = 0
    for found in _NESTING.finditer(text):
        depth += 1 if found[1] else -1 if found[2] else 0
        deepest = max(deepest, depth)
    return deepest


@cache
def _parser() -> Lark:
    """Made at first use."""
    grammar = Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr")
