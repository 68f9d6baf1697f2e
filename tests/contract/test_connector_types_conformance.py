"""What every connector type keeps to. A new type needs one example here."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, get_args

import pytest

from connectory.connector_types import ALL
from connectory.connector_types.contract import (
    AnyConnectorType,
    Egress,
    EgressFailed,
    License,
    MailConnection,
    MailServer,
    OutgoingRequest,
    OutgoingResponse,
    TypeSettings,
)
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.errors import Refused
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts
from tests.connector_runs import run_action
from tests.connector_types import rendered
from tests.fakes.documents import KeptDocuments
from tests.fakes.egress import FakeEgress, no_mail, responds

FEATURES = {
    "alerting", "uptime", "siem", "cases", "generativeAIForSecurity", "generativeAIForObservability",
    "generativeAIForSearchPlayground", "endpointSecurity", "workflows", "agentBuilder",
}  # fmt: skip
SENTINEL = "sentinel-5f1c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A connector and params that are valid and, with this answer, succeed."""

    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    answer: OutgoingResponse = field(default_factory=lambda: responds(200))


EXAMPLES = {
    ".server-log": Example(params={"message": "hello"}),
    ".slack": Example(
        secrets={"webhookUrl": f"https://a.test/{SENTINEL}"}, params={"message": "hi"}, answer=responds(200, body=b"ok")
    ),
    ".slack_api": Example(
        secrets={"token": SENTINEL},
        params={"subAction": "postMessage", "subActionParams": {"channelIds": ["C1"], "text": "hi"}},
        answer=responds(200, body=b'{"ok": true}'),
    ),
    ".teams": Example(secrets={"webhookUrl": f"https://a.test/{SENTINEL}"}, params={"message": "hi"}),
    ".pagerduty": Example(secrets={"routingKey": SENTINEL}, params={"summary": "hi"}, answer=responds(202)),
    ".opsgenie": Example(
        config={"apiUrl": "https://a.test"},
        secrets={"apiKey": SENTINEL},
        params={"subAction": "createAlert", "subActionParams": {"message": "hi"}},
        answer=responds(202, body=b'{"took": 0.1, "requestId": "r", "result": "taken"}'),
    ),
    ".jira-service-management": Example(
        config={"apiUrl": "https://a.test"},
        secrets={"apiKey": SENTINEL},
        params={"subAction": "closeAlert", "subActionParams": {"alias": "a"}},
        answer=responds(202, body=b'{"took": 0.1, "requestId": "r", "result": "taken"}'),
    ),
    ".jira": Example(
        config={"apiUrl": "https://a.test", "projectKey": "OPS"},
        secrets={"email": "me@a.test", "apiToken": SENTINEL},
        params={"subAction": "issue", "subActionParams": {"id": "7"}},
        answer=responds(200, body=b'{"id": "7", "key": "OPS-7"}', headers={"content-type": "application/json"}),
    ),
    ".gen-ai": Example(
        config={"apiProvider": "OpenAI", "apiUrl": "https://a.test/v1"},
        secrets={"apiKey": SENTINEL},
        params={"subAction": "run", "subActionParams": {"body": "{}"}},
        answer=responds(
            200, body=b'{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}'
        ),
    ),
    ".email": Example(
        config={"service": "__json", "from": "ops@a.test"},
        secrets={"user": "me", "password": SENTINEL},
        params={"to": ["me@a.test"], "subject": "hi", "message": "hi"},
    ),
    ".http": Example(
        config={"url": "https://a.test/api"}, secrets={"user": "me", "password": SENTINEL}, params={"body": "{}"}
    ),
    ".index": Example(config={"index": "orders"}, params={"documents": [{"a": 1}]}),
    ".webhook": Example(
        config={"url": "https://a.test/hook"}, secrets={"user": "me", "password": SENTINEL}, params={"body": "{}"}
    ),
}

every_type = pytest.mark.parametrize("connector_type", ALL, ids=lambda each: each.id)
types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))


def check_all(type_id: str, config: dict[str, Any], secrets: dict[str, Any], params: dict[str, Any]) -> None:
    types.parse_params(types.prepare(type_id, config, secrets).type, params)


async def run(connector_type: AnyConnectorType, egress: Egress) -> Result:
    example = EXAMPLES[connector_type.id]
    config, secrets, params = example.config, example.secrets, example.params
    documents = KeptDocuments()
    return await run_action(
        types, connector_type.id, params, config=config, secrets=secrets, egress=egress, documents=documents
    )


@every_type
def test_what_a_type_says_of_itself_is_in_the_words_of_the_contract(connector_type: AnyConnectorType) -> None:
    assert connector_type.id.startswith(".")
    assert connector_type.minimum_license in get_args(License)
    assert set(connector_type.feature_ids) <= FEATURES
    assert [each.id for each in ALL].count(connector_type.id) == 1


@every_type
def test_a_valid_connector_is_saved_in_a_form_that_is_valid_and_saved_alike(connector_type: AnyConnectorType) -> None:
    example = EXAMPLES[connector_type.id]

    saved = types.check(connector_type.id, example.config, example.secrets)

    assert types.check(connector_type.id, dict(saved), example.secrets) == saved


@every_type
@pytest.mark.parametrize("part", ["config", "secrets", "params"])
def test_an_unknown_key_is_refused(connector_type: AnyConnectorType, part: str) -> None:
    example = EXAMPLES[connector_type.id]
    given = {"config": example.config, "secrets": example.secrets, "params": example.params}
    given[part] = {**given[part], "unknown": 1}

    with pytest.raises(Refused, match='✖ Unrecognized key: "unknown"'):
        check_all(connector_type.id, **given)


@every_type
async def test_a_run_against_a_willing_target_succeeds(connector_type: AnyConnectorType) -> None:
    assert isinstance(await run(connector_type, FakeEgress(EXAMPLES[connector_type.id].answer)), Succeeded)


class Unwilling:
    """An egress of which each kind of failure can be had."""

    def __init__(self, answer: Callable[[], OutgoingResponse]) -> None:
        self.answer = answer

    async def send(self, request: OutgoingRequest) -> OutgoingResponse:
        return self.answer()

    def connect_mail(self, server: MailServer) -> AbstractAsyncContextManager[MailConnection]:
        return no_mail(server)


def fails(error: Exception) -> Callable[[], OutgoingResponse]:
    def answer() -> OutgoingResponse:
        raise error

    return answer


@every_type
@pytest.mark.parametrize(
    "answer",
    [
        *(lambda status=status: responds(status, "No") for status in (301, 400, 401, 404, 429, 500, 503)),
        lambda: responds(500, "No", b"\xff{not json"),
        fails(EgressFailed("gone", "ECONNRESET")),
        fails(ValueError("a mistake in the type")),
    ],
)
async def test_a_run_ends_with_a_result_whatever_the_target_does(
    connector_type: AnyConnectorType, answer: Callable[[], OutgoingResponse]
) -> None:
    result = await run(connector_type, Unwilling(answer))

    assert isinstance(result, Succeeded | Failed)
    if isinstance(result, Failed):
        assert result.message
        assert SENTINEL not in f"{result.message} {result.service_message}"


@every_type
async def test_no_repr_of_what_a_run_makes_shows_a_secret(connector_type: AnyConnectorType) -> None:
    example, egress = EXAMPLES[connector_type.id], FakeEgress()

    await run(connector_type, egress)

    made = (types.prepare(connector_type.id, example.config, example.secrets), egress.requests)
    assert SENTINEL not in repr(made)


@every_type
def test_rendering_keeps_params_valid(connector_type: AnyConnectorType) -> None:
    example = EXAMPLES[connector_type.id]
    prepared = types.prepare(connector_type.id, example.config, example.secrets)

    filled_in = rendered(connector_type.id, example.params, {"a": 1})

    assert types.parse_params(prepared.type, filled_in) == types.parse_params(prepared.type, example.params)
