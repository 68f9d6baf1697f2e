"""Issues of a Jira project over its REST API (version 2), Cloud and Data Center alike."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NoReturn
from urllib.parse import quote

from connectory.connector_types.basic_auth import basic
from connectory.connector_types.contract import Egress, EgressFailed, EgressRefused, OutgoingRequest, RunFailed
from connectory.connector_types.json_answers import UnexpectedAnswer, json_answer
from connectory.connector_types.json_text import compact
from connectory.connector_types.retry_after import retry_at
from connectory.connector_types.services import HttpFailure, failure_of
from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import ErrorSource
from connectory.domain.json_types import Json, JsonObject
from connectory.domain.retry import DECLINED_STATUSES

NAME: Final = "Jira"
_JQL_SPECIAL: Final = re.compile(r"[-!^+&*()\[\]/{}|:?~]")
_JQL_QUOTE: Final = re.compile(r'["\\]')


class CallFailed(ConnectoryError):
    """An answer that is no success."""

    code = "jira-refused"

    def __init__(self, failure: HttpFailure, retry_after: datetime | None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.retry_after = retry_after


class Jira:
    """One project. Every call raises `RunFailed`, worded with what could not be done.

    `sent_bytes` counts the bodies that were sent; `has_changed` says whether Jira has taken one of them.
    """

    def __init__(
        self, *, egress: Egress, now: Callable[[], datetime], url: str, project: str, email: str, token: str
    ) -> None:
        self._egress = egress
        self._now = now
        self._url = url.removesuffix("/")
        self._project = project
        self._authorization = basic(email, token)
        self.sent_bytes = 0
        self.has_changed = False

    def view_url(self, key: str) -> str:
        return f"{self._url}/browse/{key}"

    async def create(self, fields: JsonObject) -> str:
        """The id of the new issue. Without a type it is of the project's first one."""
        async with worded("Unable to create incident"):
            typed = fields if "issuetype" in fields else {**fields, "issuetype": {"id": await self._first_type()}}
            body = {"fields": {"project": {"key": self._project}, **typed}}
            created = _object(await self._call("POST", "/issue", body, required=["id"]))
        return str(created["id"])

    async def update(self, issue_id: str, fields: JsonObject) -> None:
        async with worded(f"Unable to update incident with id {issue_id}"):
            body = {"fields": {"project": {"key": self._project}, **fields}}
            await self._call("PUT", f"/issue/{_segment(issue_id)}", body)

    async def incident(self, issue_id: str) -> JsonObject:
        """Id, key, and all fields beside them."""
        async with worded(f"Unable to get incident with id {issue_id}"):
            issue = await self._issue(issue_id)
        fields = _object(issue.get("fields"))
        times = {name: fields.get(name) for name in ("created", "updated")}
        return {"id": issue["id"], "key": issue["key"], **times, **fields}

    async def issue(self, issue_id: str) -> JsonObject:
        async with worded(f"Unable to get issue with id {issue_id}"):
            return _titled(await self._issue(issue_id))

    async def comment(self, issue_id: str, text: str) -> str:
        """When the comment was made."""
        async with worded(f"Unable to create comment at incident with id {issue_id}"):
            path, required = f"/issue/{_segment(issue_id)}/comment", ["id", "created"]
            made = _object(await self._call("POST", path, {"body": text}, required=required))
        return str(made["created"])

    async def issue_types(self) -> Sequence[JsonObject]:
        async with worded("Unable to get issue types"):
            answer = _object(await self._call("GET", f"/issue/createmeta/{_segment(self._project)}/issuetypes"))
        types = _objects(answer.get("issueTypes") or answer.get("values"))
        return [{"id": each.get("id"), "name": each.get("name")} for each in types]

    async def fields_of_type(self, type_id: str) -> JsonObject:
        async with worded("Unable to get fields"):
            path = f"/issue/createmeta/{_segment(self._project)}/issuetypes/{_segment(type_id)}"
            answer = _object(await self._call("GET", path))
        fields = _objects(answer.get("fields") or answer.get("values"))
        return {str(each.get("fieldId")): _field(each) for each in fields}

    async def search(self, title: str) -> Sequence[JsonObject]:
        jql = quote(f'project="{self._project}" and summary ~"{_escaped(title)}"', "!'()*", errors="replace")
        async with worded("Unable to get issues"):
            found = _object(await self._call("GET", f"/search/jql?jql={jql}&fields=summary,key"))
        return [_titled(each) for each in _objects(found.get("issues"))]

    async def _first_type(self) -> Json:
        types = await self.issue_types()
        return types[0]["id"] if types else ""

    async def _issue(self, issue_id: str) -> JsonObject:
        return _object(await self._call("GET", f"/issue/{_segment(issue_id)}", required=["id", "key"]))

    async def _call(self, method: str, path: str, body: Json = None, *, required: Collection[str] = ()) -> Json:
        url = f"{self._url}/rest/api/2{path}"
        sent = None if body is None else compact(body).encode(errors="replace")
        typed = {} if sent is None else {"Content-Type": "application/json"}
        headers = {"Authorization": self._authorization, **typed}
        self.sent_bytes += len(sent or b"")
        response = await self._egress.send(OutgoingRequest(method=method, url=url, headers=headers, body=sent))
        if not 200 <= response.status < 300:
            asked = retry_at(response.headers.get("retry-after"), self._now())
            raise CallFailed(failure_of(response), asked)
        self.has_changed = self.has_changed or sent is not None
        return json_answer(response, method, url, required)


@asynccontextmanager
async def worded(text: str) -> AsyncIterator[None]:
    """Turn whatever goes wrong into a failure that says what could not be done."""
    try:
        yield
    except EgressRefused as error:
        raise EgressRefused(_told(text, error.message, None)) from error
    except EgressFailed as error:
        raise RunFailed(_told(text, error.message, None), undelivered=error.undelivered) from error
    except CallFailed as error:
        _raise_refused(text, error)
    except UnexpectedAnswer as error:
        raise RunFailed(_told(text, error.message, None)) from error
    except RunFailed as error:
        raise RunFailed(
            _told(text, error.message, None), error.error_source, status=error.status, retry_after=error.retry_after
        ) from error


def _raise_refused(text: str, error: CallFailed) -> NoReturn:
    status = error.failure.status
    raise RunFailed(
        _told(text, error.message, error.failure.body),
        ErrorSource.USER if status == 429 else ErrorSource.FRAMEWORK,
        status=status,
        undelivered=status in DECLINED_STATUSES,
        retry_after=error.retry_after,
    ) from error


def _told(text: str, error: str, body: Json) -> str:
    return f"[Action][{NAME}]: {text}. Error: {error}. Reason: {reason_of(body)}"


def reason_of(body: Json) -> str:
    """What Jira gave as its reason."""
    if body is None or body == "":
        return "unknown: errorResponse was null"
    if isinstance(body, str):
        return body
    told = _object(body)
    messages, errors = told.get("errorMessages"), told.get("errors")
    if isinstance(messages, list) and messages:
        return ", ".join(map(str, messages))
    if not isinstance(errors, Mapping):
        return "unknown: errorResponse.errors was null"
    return " ".join(map(str, errors.values()))


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> Sequence[JsonObject]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _titled(issue: JsonObject) -> JsonObject:
    return {"id": issue.get("id"), "key": issue.get("key"), "title": _object(issue.get("fields")).get("summary")}


def _field(declared: JsonObject) -> JsonObject:
    return {
        "required": declared.get("required"),
        "allowedValues": declared.get("allowedValues") or [],
        "defaultValue": declared.get("defaultValue") or {},
        "schema": declared.get("schema"),
        "name": declared.get("name"),
    }


def _segment(text: str) -> str:
    return quote(text, "", errors="replace")


def _escaped(title: str) -> str:
    """As words to be searched for, inside a text of JQL: neither ends the text nor is an operator of the search."""
    return _JQL_SPECIAL.sub(r"\\\\\g<0>", _JQL_QUOTE.sub(r"\\\\\\\g<0>", title))
