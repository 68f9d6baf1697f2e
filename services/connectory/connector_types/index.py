"""`.index`: keeps documents, in Elasticsearch or what speaks like it, or else in Connectory's own store."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from connectory.connector_types import alert_history
from connectory.connector_types.bulk_indexing import Elasticsearch, bulk_request, problem_with
from connectory.connector_types.calls import no_answer, sent_bytes, status_text, unwelcome_answer
from connectory.connector_types.contract import ConnectorType, EgressFailed, OutgoingRequest, Render, Run, TypeExample
from connectory.connector_types.json_text import parsed_or_text
from connectory.connector_types.schemas import Nothing, Schema, about, own_rule
from connectory.connector_types.templating import render_strings
from connectory.domain.documents import DocumentIndexed
from connectory.domain.errors import ConnectoryError, Refused
from connectory.domain.execution import Failed, Result, Succeeded, iso_millis
from connectory.domain.json_types import Json, JsonObject

FAILED: Final = "error indexing documents"
ALERT_HISTORY_PREFIX: Final = "kibana-alert-history-"


class Config(Schema):
    index: Annotated[str, about("Index", "Name of the index")]
    refresh: Annotated[bool, about("Refresh", "Whether documents are found at once")] = False
    execution_time_field: Annotated[str | None, about("Time field", "Gets the time of the run")] = None


def _of_alert_history(index: str) -> str:
    if not index.startswith(ALERT_HISTORY_PREFIX):
        raise own_rule(f'index must start with "{ALERT_HISTORY_PREFIX}"')
    return index


class Params(Schema):
    documents: Annotated[list[dict[str, Any]], about("Documents", widget="json")]
    index_override: Annotated[
        Annotated[str, AfterValidator(_of_alert_history)] | None, about("Index", "Another one, of the alert history")
    ] = None


IndexRun = Run[Config, Nothing, Params]


def render_params(params: JsonObject, render: Render) -> JsonObject:
    """Raises `Refused` when there is no alert to write the history of."""
    if render.connector_id == alert_history.CONNECTOR_ID:
        return _render_alert(params, render)
    return {**params, "documents": render_strings(params.get("documents"), render), "indexOverride": None}


def _render_alert(params: JsonObject, render: Render) -> JsonObject:
    document = alert_history.alert_history_document(render.variables, render.now)
    if document is None:
        text = f"error creating alert history document for {render.connector_id} connector"
        raise Refused("params-invalid", text)
    rendered = render_strings(params.get("indexOverride"), render)
    return {**params, "documents": [document], "indexOverride": rendered}


async def execute(run: IndexRun) -> Result:
    index = run.params.index_override or run.config.index
    documents = _dated(run)
    if run.settings.elasticsearch is None:
        return await _keep(run, index, documents)
    return await _send(run, run.settings.elasticsearch, index, documents)


def _dated(run: IndexRun) -> Sequence[JsonObject]:
    name = (run.config.execution_time_field or "").strip()
    return [{**each, name: iso_millis(run.now())} for each in run.params.documents] if name else run.params.documents


async def _keep(run: IndexRun, index: str, documents: Sequence[JsonObject]) -> Result:
    """The answer has the shape of Elasticsearch's."""
    kept = [
        DocumentIndexed(
            document_id=_id(run, number), index=index, connector_id=run.connector_id, at=run.now(), document=each
        )
        for number, each in enumerate(documents)
    ]
    begun = run.now()
    try:
        await run.surroundings.documents.keep(kept)
    except ConnectoryError as error:
        return Failed(message=FAILED, service_message=error.message, reason=error.code)
    took = round((run.now() - begun).total_seconds() * 1000)
    items: list[Json] = [
        {"create": {"_index": index, "_id": each.document_id, "status": 201, "result": "created"}} for each in kept
    ]
    return Succeeded(data={"took": took, "errors": False, "items": items})


def _id(run: IndexRun, number: int) -> str:
    """The same when the request is run again, so that documents which were kept twice can be told."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run.connector_id}/{run.idempotency_key}/{number}"))


async def _send(run: IndexRun, endpoint: Elasticsearch, index: str, documents: Sequence[JsonObject]) -> Result:
    """Where one cannot be reached, the next may be."""
    result: Result = Failed(message=FAILED, service_message="no host is configured")
    for url in endpoint.urls:
        result = await _send_to(run, bulk_request(endpoint, url, index, documents, refresh=run.config.refresh))
        if isinstance(result, Succeeded) or not result.undelivered or result.status is not None:
            break
    return result


async def _send_to(run: IndexRun, request: OutgoingRequest) -> Result:
    try:
        response = await run.egress.send(request)
    except EgressFailed as failure:
        return no_answer(request, failure, FAILED, service_message=failure.message)
    answer = parsed_or_text(response.body)
    problem = problem_with(answer) if 200 <= response.status < 300 else status_text(response)
    if problem is not None:
        return unwelcome_answer(request, response, run.now(), FAILED, service_message=problem)
    return Succeeded(data=answer, request_body_bytes=sent_bytes(request))


INDEX = ConnectorType(
    id=".index",
    name="Index",
    minimum_license="basic",
    feature_ids=("alerting", "uptime", "siem", "workflows"),
    config=Config,
    secrets=Nothing,
    params=Params,
    execute=execute,
    render_params=render_params,
    example=TypeExample(
        config={"index": "orders"},
        params={"documents": [{"order": 42, "state": "late"}]},
    ),
)
