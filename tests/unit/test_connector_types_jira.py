"""`.jira`: the calls of each sub-action, and what is said when one fails."""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import unquote

import pytest

from connectory.connector_types.contract import (
    EgressFailed,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
)
from connectory.domain.errors import Refused
from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from tests.connector_runs import run_action
from tests.connector_types import NOW, registry, rendered
from tests.fakes.egress import FakeEgress, no_mail, responds

BASE = "https://jira.test/rest/api/2"
FIELDS = {
    "summary": "s",
    "created": "2026-01-01T01:00:00.000+0100",
    "updated": "2026-01-02T00:00:00.000+0000",
}
ISSUE = {"id": "7", "key": "OPS-7", "fields": FIELDS}
TYPES = {"issueTypes": [{"id": "10", "name": "Bug", "more": 1}, {"id": "11", "name": "Task"}]}
SUMMARY = {"fieldId": "summary", "required": True, "schema": {"type": "string"}, "name": "Summary"}
PARENT = {"fieldId": "parent", "required": False, "schema": {}, "name": "Parent", "allowedValues": [1]}
ANSWERS: dict[str, Any] = {
    "POST /issue": {"id": "7"},
    "PUT /issue/7": None,
    "GET /issue/7": ISSUE,
    "POST /issue/7/comment": {"id": "1", "created": "2026-01-03T00:00:00.000+0000"},
    "GET /issue/createmeta/OPS/issuetypes": TYPES,
    "GET /issue/createmeta/OPS/issuetypes/10": {"fields": [SUMMARY, PARENT]},
    "GET /issue/createmeta/OPS/issuetypes/11": {"values": [SUMMARY]},
}


class FakeJira:
    """Answers as a site with one issue does."""

    def __init__(self, **changes: OutgoingResponse | EgressFailed) -> None:
        self.changes = changes
        self.calls: list[tuple[str, Any]] = []

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        assert request.headers["Authorization"] == "Basic bWVAYS50ZXN0OnRva2Vu"
        call = f"{request.method} {request.url.removeprefix(BASE)}"
        self.calls.append((call, json.loads(request.body) if request.body else None))
        answer = self.changes.get(request.method)
        if isinstance(answer, EgressFailed):
            raise answer
        return answer or self._usual(call)

    def _usual(self, call: str) -> OutgoingResponse:
        answer = {"issues": [ISSUE]} if call.startswith("GET /search") else ANSWERS[call]
        if answer is None:
            return responds(204)
        return responds(200, body=json.dumps(answer).encode(), headers={"content-type": "application/json"})

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        return no_mail(server)


async def call(jira: Any, sub_action: str, params: dict[str, Any]) -> Result:
    return await run_action(
        registry(),
        ".jira",
        {"subAction": sub_action, "subActionParams": params},
        config={"apiUrl": "https://jira.test/", "projectKey": "OPS"},
        secrets={"email": "me@a.test", "apiToken": "token"},
        egress=jira,
        now=lambda: NOW,
    )


async def push(jira: FakeJira, incident: dict[str, Any], comments: list[dict[str, str]] | None = None) -> Result:
    return await call(jira, "pushToService", {"incident": {"summary": "s", **incident}, "comments": comments})


async def test_an_incident_becomes_an_issue_with_its_comments() -> None:
    jira, comments = FakeJira(), [{"comment": "c", "commentId": "c1"}, {"comment": "", "commentId": "c2"}]

    result = await push(jira, {"issueType": "10", "labels": ["a"], "priority": "High", "parent": "OPS-1"}, comments)

    fields = {"project": {"key": "OPS"}, "summary": "s", "issuetype": {"id": "10"}, "labels": ["a"],
              "priority": {"name": "High"}, "parent": {"key": "OPS-1"}}  # fmt: skip
    assert jira.calls == [
        ("POST /issue", {"fields": fields}),
        ("GET /issue/7", None),
        ("POST /issue/7/comment", {"body": "c"}),
    ]
    assert isinstance(result, Succeeded)
    assert result.data == {
        "id": "7",
        "title": "OPS-7",
        "url": "https://jira.test/browse/OPS-7",
        "pushedDate": "2026-01-01T00:00:00.000Z",
        "comments": [{"commentId": "c1", "pushedDate": "2026-01-03T00:00:00.000Z"}],
    }


async def test_other_fields_have_the_last_word() -> None:
    jira = FakeJira()

    await push(jira, {"otherFields": {"issuetype": {"name": "Story"}, "project": {"key": "DEV"}}})

    fields = {"project": {"key": "DEV"}, "summary": "s", "issuetype": {"name": "Story"}}
    assert jira.calls[0] == ("POST /issue", {"fields": fields})


async def test_an_incident_that_is_known_is_updated() -> None:
    jira = FakeJira()

    result = await push(jira, {"externalId": "7", "description": None, "otherFields": '{"customfield_1": 1}'})

    fields = {"project": {"key": "OPS"}, "summary": "s", "customfield_1": 1}
    assert jira.calls == [("PUT /issue/7", {"fields": fields}), ("GET /issue/7", None)]
    assert isinstance(result, Succeeded)
    assert result.data == {
        "id": "7",
        "title": "OPS-7",
        "url": "https://jira.test/browse/OPS-7",
        "pushedDate": "2026-01-02T00:00:00.000Z",
    }


async def test_without_an_issue_type_it_is_the_first_and_line_breaks_are_commas() -> None:
    jira = FakeJira()

    await push(jira, {"summary": " a\n\r b \n"})

    assert jira.calls[1] == (
        "POST /issue",
        {"fields": {"project": {"key": "OPS"}, "summary": "a, b", "issuetype": {"id": "10"}}},
    )


TITLED = {"id": "7", "key": "OPS-7", "title": "s"}
FIELD = {"required": True, "allowedValues": [], "defaultValue": {}, "schema": {"type": "string"}, "name": "Summary"}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_once_jira_has_taken_something_it_is_not_said_to_have_nothing(method: str) -> None:
    result = await push(FakeJira(**{method: responds(503)}), {"issueType": "10"})

    assert isinstance(result, Failed)
    assert result.undelivered == (method == "POST")


@pytest.mark.parametrize(
    ("sub_action", "params", "data"),
    [
        ("getIncident", {"externalId": "7"}, {"id": "7", "key": "OPS-7", **FIELDS}),
        ("issueTypes", {}, [{"id": "10", "name": "Bug"}, {"id": "11", "name": "Task"}]),
        ("fieldsByIssueType", {"id": "11"}, {"summary": FIELD}),
        ("getFields", {}, {"summary": FIELD}),
        ("issues", {"title": "s"}, [TITLED]),
        ("issue", {"id": "7"}, TITLED),
    ],
)
async def test_what_a_project_tells(sub_action: str, params: dict[str, Any], data: Any) -> None:
    result = await call(FakeJira(), sub_action, params)

    assert isinstance(result, Succeeded)
    assert result.data == data


@pytest.mark.parametrize(
    ("title", "searched"), [("a-b c", r"a\\-b c"), (r"a\b", r"a\\\\b"), ('" or project="X', r"\\\" or project=\\\"X")]
)
async def test_a_title_is_escaped_for_the_search(title: str, searched: str) -> None:
    jira = FakeJira()

    await call(jira, "issues", {"title": title})

    called = unquote(jira.calls[0][0])
    assert called == f'GET /search/jql?jql=project="OPS" and summary ~"{searched}"&fields=summary,key'


NULL = "unknown: errorResponse was null"
STATUS = "Request failed with status code {}"
UNSUPPORTED = f"Unsupported content type: undefined in get {BASE}/issue/7. Supported content types: application/json"


def refused(status: int, body: bytes) -> OutgoingResponse:
    return responds(status, "No", body, {"content-type": "application/json"})


@pytest.mark.parametrize(
    ("answer", "error", "reason", "source"),
    [
        (refused(404, b'{"errorMessages": ["a", "b"]}'), STATUS.format(404), "a, b", "framework"),
        (refused(400, b'{"errors": {"x": "no", "y": "way"}}'), STATUS.format(400), "no way", "framework"),
        (refused(429, b"{}"), STATUS.format(429), "unknown: errorResponse.errors was null", "user"),
        (refused(500, b'{"a": 1}'), STATUS.format(500), "unknown: errorResponse.errors was null", "framework"),
        (EgressFailed("gone"), "gone", NULL, "framework"),
        (refused(200, b"{}"), "Response is missing at least one of the expected fields: id,key", NULL, "framework"),
        (responds(200, body=b"{}"), UNSUPPORTED, NULL, "framework"),
    ],
)
async def test_what_a_failure_says(answer: Any, error: str, reason: str, source: str) -> None:
    result = await call(FakeJira(GET=answer), "issue", {"id": "7"})

    assert isinstance(result, Failed)
    assert result.message == "an error occurred while running the action"
    assert result.service_message == (
        f"[Action][Jira]: Unable to get issue with id 7. Error: {error}. Reason: {reason}"
    )
    assert (result.retry, result.error_source) == (True, ErrorSource(source))


@pytest.mark.parametrize(
    ("sub_action", "params", "method", "text"),
    [
        ("pushToService", {"incident": {"summary": "s", "issueType": "1"}}, "POST", "Unable to create incident"),
        ("pushToService", {"incident": {"summary": "s", "externalId": "7"}}, "PUT",
         "Unable to update incident with id 7"),
        ("getIncident", {"externalId": "7"}, "GET", "Unable to get incident with id 7"),
        ("pushToService", {"incident": {"summary": "s", "externalId": "7"},
                           "comments": [{"comment": "c", "commentId": "1"}]}, "POST",
         "Unable to create comment at incident with id 7"),
        ("issueTypes", {}, "GET", "Unable to get issue types"),
        ("fieldsByIssueType", {"id": "1"}, "GET", "Unable to get fields"),
        ("issues", {"title": "t"}, "GET", "Unable to get issues"),
    ],
)  # fmt: skip
async def test_a_failure_says_what_could_not_be_done(
    sub_action: str, params: dict[str, Any], method: str, text: str
) -> None:
    result = await call(FakeJira(**{method: refused(403, b"no")}), sub_action, params)

    assert isinstance(result, Failed)
    assert result.service_message == f"[Action][Jira]: {text}. Error: Request failed with status code 403. Reason: no"


@pytest.mark.parametrize(
    ("incident", "problem"),
    [
        ({"labels": ["a b"]}, "The label a b cannot contain spaces"),
        ({"otherFields": {str(n): n for n in range(21)}}, "A maximum of 20 otherFields can be updated at a time."),
        ({"otherFields": {"summary": 1}}, "The following properties cannot be defined inside otherFields: summary"),
        ({"otherFields": "[]"}, "Invalid input: expected record, received array"),
    ],
)
async def test_an_incident_that_does_not_fit_is_refused(incident: dict[str, Any], problem: str) -> None:
    with pytest.raises(Refused) as refusal:
        await push(FakeJira(), incident)

    assert refusal.value.message.startswith(f"error validating action params: ✖ {problem}")


@pytest.mark.parametrize(
    ("sub_action", "told"),
    [
        ("dance", "[Action][ExternalService] Unsupported subAction type dance."),
        ("handshake", "[Action][ExternalService] subAction handshake not implemented."),
    ],
)
async def test_a_sub_action_that_there_is_not_is_named(sub_action: str, told: str) -> None:
    result = await call(FakeEgress(), sub_action, {})

    assert isinstance(result, Failed)
    assert result.service_message == told


def test_the_host_has_to_be_allowed() -> None:
    with pytest.raises(Refused, match="config: error configuring connector action: target url"):
        registry(["other.test"]).check(
            ".jira", {"apiUrl": "https://jira.test", "projectKey": "OPS"}, {"email": "e", "apiToken": "t"}
        )


def test_every_text_is_rendered() -> None:
    params = {"subAction": "pushToService", "subActionParams": {"incident": {"summary": "{{a}}"}}}

    assert rendered(".jira", params, {"a": "b"})["subActionParams"] == {"incident": {"summary": "b"}}
