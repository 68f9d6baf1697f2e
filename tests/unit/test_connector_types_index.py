"""`.index`: where documents go, and what the answers mean."""

import json
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.bulk_indexing import Elasticsearch
from connectory.connector_types.contract import EgressFailed, TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.documents import DocumentIndexed
from connectory.domain.errors import Refused, Unavailable
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import JsonObject
from connectory.infra.documents import LoggedDocuments
from connectory.infra.egress import AllowedHosts
from connectory.infra.messages import Messages
from connectory.infra.topics import INDEX_DOCUMENTS, topic_specs
from connectory.testing import InMemoryLog
from tests.connector_runs import run_action
from tests.connector_types import NOW, rendered
from tests.fakes.documents import KeptDocuments
from tests.fakes.egress import FakeEgress, responds

ENDPOINT = Elasticsearch(urls=("https://one.test", "https://two.test"), authorization="ApiKey k")


def registry(endpoint: Elasticsearch | None = None) -> TypeRegistry:
    return TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"]), elasticsearch=endpoint))


async def index(
    params: dict[str, Any],
    config: dict[str, Any] | None = None,
    documents: KeptDocuments | None = None,
    egress: FakeEgress | None = None,
) -> Result:
    return await run_action(
        registry(ENDPOINT if egress else None),
        ".index",
        params,
        config={"index": "orders", **(config or {})},
        egress=egress,
        documents=documents,
        now=lambda: NOW,
    )


async def test_documents_are_kept_here_when_no_search_engine_is_configured() -> None:
    documents = KeptDocuments()

    result = await index({"documents": [{"a": 1}, {"b": 2}]}, documents=documents)

    assert [(each.index, each.connector_id, each.at, each.document) for each in documents.kept] == [
        ("orders", "c1", NOW, {"a": 1}),
        ("orders", "c1", NOW, {"b": 2}),
    ]
    created: list[Any] = [{"create": {"_index": "orders", "_id": each.document_id, "status": 201, "result": "created"}}
               for each in documents.kept]  # fmt: skip
    assert result == Succeeded(data={"took": 0, "errors": False, "items": created})


async def test_the_time_of_the_run_is_added_where_it_is_wanted() -> None:
    documents = KeptDocuments()

    await index({"documents": [{"a": 1}]}, {"executionTimeField": " at "}, documents)

    assert documents.kept[0].document == {"a": 1, "at": "2026-11-24T12:00:00.250Z"}


async def test_another_index_may_be_one_of_the_alert_history() -> None:
    documents = KeptDocuments()

    await index({"documents": [{}], "indexOverride": "kibana-alert-history-x"}, documents=documents)
    with pytest.raises(Refused, match='✖ index must start with "kibana-alert-history-"\n  → at indexOverride'):
        await index({"documents": [], "indexOverride": "x"})

    assert documents.kept[0].index == "kibana-alert-history-x"


async def test_a_document_has_the_same_id_when_the_request_is_run_again() -> None:
    documents = KeptDocuments()

    await index({"documents": [{}, {}]}, documents=documents)
    await index({"documents": [{}, {}]}, documents=documents)

    one, two, one_again, two_again = (each.document_id for each in documents.kept)
    assert (one, two) == (one_again, two_again)
    assert one != two


async def test_a_store_that_is_away_is_a_failure() -> None:
    result = await index({"documents": [{}]}, documents=KeptDocuments(Unavailable("away")))

    assert result == Failed(message="error indexing documents", service_message="away", reason="unavailable")


async def test_a_search_engine_is_sent_lines_of_json() -> None:
    answer: dict[str, Any] = {"took": 1, "errors": False, "items": []}
    egress = FakeEgress(responds(200, body=json.dumps(answer).encode()))

    result = await index({"documents": [{"a": "é"}]}, {"refresh": True, "index": "a/b"}, egress=egress)

    body = '{"index":{"op_type":"create"}}\n{"a":"é"}\n'.encode()
    assert result == Succeeded(data=answer, request_body_bytes=len(body))
    assert (egress.sent.method, egress.sent.url) == ("POST", "https://one.test/a%2Fb/_bulk?refresh=true")
    assert egress.sent.headers == {"Content-Type": "application/x-ndjson", "Authorization": "ApiKey k"}
    assert egress.sent.body == body


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([], "Indexing error but no reason returned."),
        ([{"index": {"error": {"reason": "a"}}}, {"index": {}}, {"index": {"error": {"reason": "b"}}}], "a;b"),
        ([{"index": {"error": {"reason": "a", "caused_by": {"reason": "c"}}}}], "a (c)"),
        ([{"index": {"error": {"reason": "a", "caused_by": {"type": "x"}}}}, 5, {"index": None}], "a"),
    ],
)
async def test_what_went_wrong_with_documents_is_told(items: list[Any], told: str) -> None:
    result = await index(
        {"documents": [{}]},
        egress=FakeEgress(responds(200, body=json.dumps({"errors": True, "items": items}).encode())),
    )

    assert isinstance(result, Failed)
    assert (result.message, result.service_message, result.retry) == ("error indexing documents", told, None)


async def test_a_host_that_is_not_there_is_passed_over() -> None:
    egress = FakeEgress(EgressFailed("connect ECONNREFUSED", "ECONNREFUSED"))

    result = await index({"documents": [{}]}, egress=egress)

    assert [request.url.split("/")[2] for request in egress.requests] == ["one.test", "two.test"]
    assert isinstance(result, Failed)
    assert result.service_message == "connect ECONNREFUSED"


async def test_a_refusal_is_not_tried_elsewhere() -> None:
    egress = FakeEgress(responds(503, "Busy"))

    result = await index({"documents": [{}]}, egress=egress)

    assert len(egress.requests) == 1
    assert isinstance(result, Failed)
    assert result.service_message == "Request failed with status code 503"


async def test_kept_documents_stand_on_the_log() -> None:
    log, messages = InMemoryLog(1), Messages()
    await log.create_topics(topic_specs(timedelta(days=1)))
    document = DocumentIndexed(document_id="d", index="i", connector_id="c1", at=NOW, document={"a": [1, None]})

    async with log.writer() as writer:
        await LoggedDocuments(writer, messages).keep([document])

    async with log.tail(INDEX_DOCUMENTS, 0, 0) as tail:
        (record,) = await tail.fetch(1.0)
    assert messages.decode(record.value, DocumentIndexed) == document


def test_the_saved_config_has_the_defaults_of_the_contract() -> None:
    saved = registry().check(".index", {"index": "x"}, {})

    assert saved == {"index": "x", "refresh": False, "executionTimeField": None}


def test_documents_are_rendered_and_the_index_stays() -> None:
    params = {"documents": [{"a": ["{{x}}"]}], "indexOverride": "kibana-alert-history-{{x}}"}

    assert rendered(".index", params, {"x": "y"}) == {"documents": [{"a": ["y"]}], "indexOverride": None}


HISTORY = "preconfigured-alert-history-es-index"
ALERT: JsonObject = {
    "date": "2026-11-24T11:59:00.000Z",
    "tags": ["disk", "eu"],
    "rule": {"id": "r-1", "name": "Disk", "spaceId": "ops", "type": ".index-threshold"},
    "params": {"threshold": [90]},
    "alert": {"id": "host-1", "actionGroup": "full", "actionGroupName": "Disk is full"},
    "context": {"message": "host-1 at 93 %", "value": 93},
}
ALERT_DOCUMENT: JsonObject = {
    "@timestamp": "2026-11-24T11:59:00.000Z",
    "tags": ["disk", "eu"],
    "message": "host-1 at 93 %",
    "rule": {
        "id": "r-1",
        "name": "Disk",
        "params": {"__index-threshold": {"threshold": [90]}},
        "space": "ops",
        "type": ".index-threshold",
    },
    "kibana": {
        "alert": {
            "id": "host-1",
            "context": {"__index-threshold": {"message": "host-1 at 93 %", "value": 93}},
            "actionGroup": "full",
            "actionGroupName": "Disk is full",
        }
    },
    "event": {"kind": "alert"},
}


def test_the_connector_of_the_alert_history_writes_a_document_of_its_own() -> None:
    params: JsonObject = {"documents": [{"a": "{{x}}"}], "indexOverride": "kibana-alert-history-{{rule.spaceId}}"}

    filled_in = rendered(".index", params, ALERT, HISTORY)

    assert filled_in == {"documents": [ALERT_DOCUMENT], "indexOverride": "kibana-alert-history-ops"}


def test_an_alert_history_document_has_what_is_known() -> None:
    variables: JsonObject = {"rule": {"type": "t"}, "alert": {"id": "a"}, "tags": []}

    filled_in = rendered(".index", {"documents": []}, variables, HISTORY)

    assert filled_in["documents"] == [
        {
            "@timestamp": "2026-11-24T12:00:00.250Z",
            "rule": {"type": "t"},
            "kibana": {"alert": {"id": "a"}},
            "event": {"kind": "alert"},
        }
    ]


@pytest.mark.parametrize(
    "variables",
    [{}, {"alert": {"id": "a"}}, {"rule": {"type": "t"}}, {"alert": {"id": "a"}, "rule": {"id": "r"}}, {"alert": "a"}],
)
def test_without_an_alert_of_a_rule_there_is_no_alert_history_document(variables: JsonObject) -> None:
    with pytest.raises(Refused) as refused:
        rendered(".index", {"documents": []}, variables, HISTORY)

    assert refused.value.message == f"error creating alert history document for {HISTORY} connector"
