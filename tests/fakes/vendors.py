"""The other systems' APIs, on one real TLS server that every name leads to: what they demand, and what they answer."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from connectory.infra.egress import EgressSettings, HttpEgress, open_egress
from connectory.infra.egress.proxies import proxy
from tests.fakes.http_proxy import HttpProxy, http_proxy
from tests.fakes.http_target import Answer, HttpTarget, Received, http_target
from tests.fakes.tls import server_tls

SECRET = "sentinel-5f1c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A connector to a system, an action through it, the one request that this has to make, and what it brings.

    `headers` have to be there, with names in lower case; `body` is JSON, or a text as it stands.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    answer: Answer = field(default_factory=Answer)
    data: Any = None

    def check(self, received: Received) -> None:
        """That the request is the one that the system wants."""
        assert (received.method, f"https://{received.headers['host']}{received.path}") == (self.method, self.url)
        assert {name: received.headers.get(name) for name in self.headers} == self.headers
        assert _parsed(received.body) == self.body


def _parsed(body: bytes) -> Any:
    text = body.decode()
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(value).encode())


TAKEN = {"took": 0.1, "requestId": "r", "result": "Request will be processed"}
COMPLETION = {
    "choices": [{"message": {"content": " hello "}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
JSON_TYPE = "application/json"

VENDORS: Mapping[str, Vendor] = {
    ".webhook": Vendor(
        config={"url": "https://hooks.test/in"},
        secrets={"user": "me", "password": SECRET},
        params={"body": '{"a": 1}'},
        url="https://hooks.test/in",
        headers={"authorization": "Basic bWU6c2VudGluZWwtNWYxYw==", "idempotency-key": "request-1"},
        body={"a": 1},
        data='{"a": 1}',
    ),
    ".http": Vendor(
        config={"url": "https://api.test", "hasAuth": False},
        secrets={"secretHeaders": {"X-Key": SECRET}},
        params={"method": "PUT", "path": "/a", "query": {"b": "c d"}, "body": "x"},
        method="PUT",
        url="https://api.test/a?b=c+d",
        headers={"x-key": SECRET},
        body="x",
        answer=Answer(status=201, reason="Created", headers={"Content-Type": "text/plain"}, body=b"made"),
    ),
    ".slack": Vendor(
        secrets={"webhookUrl": f"https://hooks.slack.test/services/{SECRET}"},
        params={"message": "hi"},
        url=f"https://hooks.slack.test/services/{SECRET}",
        headers={"content-type": JSON_TYPE},
        body={"text": "hi"},
        answer=Answer(body=b"ok"),
        data={"text": "ok"},
    ),
    ".slack_api": Vendor(
        secrets={"token": SECRET},
        params={"subAction": "postMessage", "subActionParams": {"channelNames": ["#ops"], "text": "hi"}},
        url="https://slack.com/api/chat.postMessage",
        headers={"authorization": f"Bearer {SECRET}", "content-type": "application/json; charset=UTF-8"},
        body={"channel": "#ops", "text": "hi"},
        answer=_json({"ok": True, "ts": "1"}),
        data={"ok": True, "ts": "1"},
    ),
    ".teams": Vendor(
        secrets={"webhookUrl": f"https://teams.test/webhookb2/{SECRET}"},
        params={"message": "hi"},
        url=f"https://teams.test/webhookb2/{SECRET}",
        headers={"content-type": JSON_TYPE},
        body={"text": "hi"},
        answer=Answer(body=b"1"),
        data={"text": "1"},
    ),
    ".pagerduty": Vendor(
        secrets={"routingKey": SECRET},
        params={"eventAction": "resolve", "dedupKey": "disk-1"},
        url="https://events.pagerduty.com/v2/enqueue",
        headers={"content-type": JSON_TYPE, "x-routing-key": SECRET},
        body={"event_action": "resolve", "dedup_key": "disk-1"},
        answer=_json({"status": "success"}, 202),
        data={"status": "success"},
    ),
    ".opsgenie": Vendor(
        config={"apiUrl": "https://api.opsgenie.test"},
        secrets={"apiKey": SECRET},
        params={"subAction": "createAlert", "subActionParams": {"message": "hi", "alias": "disk-1"}},
        url="https://api.opsgenie.test/v2/alerts",
        headers={"content-type": JSON_TYPE, "authorization": f"GenieKey {SECRET}"},
        body={"message": "hi", "alias": "disk-1"},
        answer=_json(TAKEN, 202),
        data=TAKEN,
    ),
    ".jira-service-management": Vendor(
        config={"apiUrl": "https://api.atlassian.test"},
        secrets={"apiKey": SECRET},
        params={"subAction": "closeAlert", "subActionParams": {"alias": "disk-1", "note": "done"}},
        url="https://api.atlassian.test/jsm/ops/integration/v2/alerts/disk-1/close?identifierType=alias",
        headers={"content-type": JSON_TYPE, "authorization": f"GenieKey {SECRET}"},
        body={"note": "done"},
        answer=_json(TAKEN, 202),
        data=TAKEN,
    ),
    ".jira": Vendor(
        config={"apiUrl": "https://jira.test", "projectKey": "OPS"},
        secrets={"email": "me@a.test", "apiToken": SECRET},
        params={"subAction": "issue", "subActionParams": {"id": "7"}},
        method="GET",
        url="https://jira.test/rest/api/2/issue/7",
        headers={"authorization": "Basic bWVAYS50ZXN0OnNlbnRpbmVsLTVmMWM="},
        answer=_json({"id": "7", "key": "OPS-7", "fields": {"summary": "s"}}),
        data={"id": "7", "key": "OPS-7", "title": "s"},
    ),
    ".gen-ai": Vendor(
        config={"apiProvider": "OpenAI", "apiUrl": "https://api.openai.com/v1/chat/completions"},
        secrets={"apiKey": SECRET},
        params={"subAction": "run", "subActionParams": {"body": '{"messages": []}', "timeout": 1}},
        url="https://api.openai.com/v1/chat/completions",
        headers={"content-type": JSON_TYPE, "authorization": f"Bearer {SECRET}"},
        body={"messages": [], "model": "gpt-4.1", "stream": False},
        answer=_json(COMPLETION),
        data=COMPLETION,
    ),
}
"""By type. `.server-log`, `.index` and `.email` call no HTTP server here."""


@dataclass(frozen=True, slots=True)
class Internet:
    """One server for all, and the way out to it."""

    target: HttpTarget
    egress: HttpEgress

    def answers(self, vendor: Vendor, **changes: Any) -> None:
        path = vendor.url.split("/", 3)[3].split("?")[0]
        self.target.answers_with(f"/{path}", replace(vendor.answer, **changes))


def way_out(between: HttpProxy, **settings: Any) -> EgressSettings:
    by = proxy(
        between.url,
        headers={},
        bypass_hosts=None,
        only_hosts=None,
        verification_mode="full",
        http_targets="connect",
    )
    given = {"response_timeout": timedelta(seconds=10), **settings}
    return EgressSettings(user_agent="x", verification_mode="none", proxy=by, **given)


@asynccontextmanager
async def internet(**settings: Any) -> AsyncIterator[Internet]:
    """`settings` are those of the way out."""
    async with http_target(server_tls("vendor.test")) as target, http_proxy() as between:
        between.leads_to = int(target.url.rpartition(":")[2])
        async with open_egress(way_out(between, **settings)) as egress:
            yield Internet(target, egress)
