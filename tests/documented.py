"""Answers of a gateway held to its own OpenAPI document, and a memory of which test saw which of them."""

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jsonschema_rs

ERROR = {"$ref": "#/components/schemas/Error"}
EVERY_ROUTE = ""
PLACEHOLDER = re.compile(r"<[^<>]+>")
SPACE = re.compile(r"/s/[a-z0-9_-]+(?=/)")


class Row(NamedTuple):
    """An answer of a route, told by its text if it is a refusal. The texts of the edge are those of `EVERY_ROUTE`."""

    route: str
    status: int
    text: str


SEEN: dict[str, set[Row]] = defaultdict(set)
"""By the test that saw them: `file.py::name`."""


@dataclass(frozen=True)
class Operation:
    """A method of a path, as the document has it."""

    method: str
    path: str
    details: Mapping[str, Any]
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path))
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def route(self) -> str:
        """A slash at the end makes no other route."""
        return f"{self.method} {self.path.rstrip('/') or '/'}"

    @property
    def spaced(self) -> bool:
        return "servers" not in self.details

    def rows(self) -> Iterator[tuple[Row, str]]:
        """With the description of those that are no refusals."""
        for status, response in self.details["responses"].items():
            if _has_answer(response):
                yield Row(self.route, int(status), ""), response["description"]
            yield from ((Row(self.route, int(status), text), "") for text in response.get("x-texts", ()))
            yield from ((Row(EVERY_ROUTE, int(status), text), "") for text in response.get("x-edge-texts", ()))

    def row_of(self, status: int, raw: bytes) -> Row | None:
        """The line that an answer of that status is, None when there is none."""
        message = _message(raw) if status >= 400 else None
        fitting = (
            row
            for row, _ in self.rows()
            if row.status == status and (not row.text if message is None else row.text and _fits(row.text, message))
        )
        return next(fitting, None)


class Documented:
    """What a document says, and whether answers keep to it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._base = document["servers"][0]["url"].rstrip("/")
        self._validators: dict[tuple[str, int], jsonschema_rs.Validator] = {}
        self.operations = [
            Operation(method.upper(), path, details)
            for path, methods in sorted(document["paths"].items(), key=lambda item: item[0].replace("{", "\x7f"))
            for method, details in methods.items()
        ]

    def hold(self, method: str, path: str, status: int, content_type: str, raw: bytes) -> None:
        """Raise `AssertionError` for an answer that is not in the document, and remember who saw it."""
        operation = self.find("GET" if method == "HEAD" else method, path)
        if operation is None:
            assert status == 404, f"{method} {path} is not in the document, and answered {status}"
        if operation is None or method == "HEAD":
            return
        self._hold_form(operation, status, content_type, raw)
        row = operation.row_of(status, raw)
        said = raw.decode(errors="replace")[:500]
        assert row, f"{operation.route} does not declare this answer (gateway/contracts): {status} {said}"
        SEEN[running_test()].add(row)

    def find(self, method: str, path: str) -> Operation | None:
        bare = path.partition("?")[0].removeprefix(self._base)
        in_a_space = SPACE.match(bare)
        bare = bare[in_a_space.end() :] if in_a_space else bare
        fitting = (
            each
            for each in self.operations
            if each.method == method and each.pattern.fullmatch(bare) and (each.spaced or not in_a_space)
        )
        return next(fitting, None)

    def _hold_form(self, operation: Operation, status: int, content_type: str, raw: bytes) -> None:
        response = operation.details["responses"].get(str(status))
        assert response, f"{operation.route} does not declare status {status}: {raw[:500]!r}"
        kind = content_type.partition(";")[0]
        content = response.get("content", {})
        assert kind in content or not (raw or content), f"{operation.route} {status}: {content_type} {raw[:500]!r}"
        if kind == "application/json" and raw:
            assert content_type == "application/json; charset=utf-8"
            self._validator(operation, status).validate(json.loads(raw))

    def _validator(self, operation: Operation, status: int) -> jsonschema_rs.Validator:
        key = (operation.route, status)
        if key not in self._validators:
            schema = operation.details["responses"][str(status)]["content"]["application/json"]["schema"]
            whole = {"components": self.document["components"], **schema}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]


def running_test() -> str:
    """As the reference names it."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].partition("[")[0]
    return name.rpartition("/")[2]


def _has_answer(response: Mapping[str, Any]) -> bool:
    content = response.get("content", {})
    refusals = "x-texts" in response or "x-edge-texts" in response
    return not refusals or any(each["schema"] != ERROR for each in content.values())


def _message(raw: bytes) -> str | None:
    """The text of an error body; None for a body that is none."""
    body = json.loads(raw)
    return body["message"] if isinstance(body, dict) and "statusCode" in body else None


def _fits(text: str, message: str) -> bool:
    parts = map(re.escape, PLACEHOLDER.split(text))
    return re.fullmatch(".*".join(parts), message, re.DOTALL) is not None
