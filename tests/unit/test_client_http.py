"""The HTTP client, against a server that records what it is asked and answers as it is told."""

import json
from collections.abc import AsyncIterator

import pytest

from connectory.client import ApiError, ConnectoryClient, DeliveryPolicy, NewActionRequest
from connectory.domain.errors import Unavailable
from connectory.infra.embedded.ports import free_port
from tests.fakes.http_target import Answer, HttpTarget, http_target

CONNECTOR = {"id": "a/b", "connector_type_id": ".webhook", "name": "A", "config": {"url": "x"}, "something_new": 1}


@pytest.fixture
async def server() -> AsyncIterator[HttpTarget]:
    async with http_target() as target:
        yield target


@pytest.fixture
async def client(server: HttpTarget) -> AsyncIterator[ConnectoryClient]:
    async with ConnectoryClient(server.url, "ädmin", "päss", space="sales") as opened:
        yield opened


def answers(server: HttpTarget, path: str, body: object, status: int = 200) -> None:
    server.answers_with(path, Answer(status=status, body=json.dumps(body).encode()))


async def test_calls_carry_credentials_the_space_and_the_needed_header(
    server: HttpTarget, client: ConnectoryClient
) -> None:
    answers(server, "/s/sales/api/actions/connectors", [CONNECTOR])

    [connector] = await client.connectors()

    assert connector.name == "A"
    assert server.last.headers["authorization"] == "Basic w6RkbWluOnDDpHNz"
    assert "kbn-xsrf" in server.last.headers


async def test_an_api_key_stands_in_the_place_of_user_and_password(server: HttpTarget) -> None:
    answers(server, "/api/actions/connectors", [])

    async with ConnectoryClient(server.url, api_key="aWQ6a2V5") as client:
        await client.connectors()

    assert server.last.headers["authorization"] == "ApiKey aWQ6a2V5"


async def test_an_id_is_escaped_in_the_path(server: HttpTarget, client: ConnectoryClient) -> None:
    answers(server, "/s/sales/api/actions/connector/a/b", CONNECTOR)

    assert (await client.connector("a/b")).id == "a/b"
    assert server.last.path == "/s/sales/api/actions/connector/a%2Fb"


async def test_a_refusal_is_raised_with_status_and_message(server: HttpTarget, client: ConnectoryClient) -> None:
    answers(server, "/s/sales/api/actions/connector/x", {"message": "not here"}, status=404)

    with pytest.raises(ApiError, match="404: not here") as refusal:
        await client.connector("x")
    assert refusal.value.status == 404


UNKNOWN = {"message": "not known yet", "attributes": {"command_id": "k-1"}}
"""The answer to a change that may have taken place."""


async def test_a_change_whose_outcome_is_not_known_is_repeated_by_its_command(
    server: HttpTarget, client: ConnectoryClient
) -> None:
    then = Answer(body=json.dumps(CONNECTOR).encode())
    server.answers_with(
        "/s/sales/api/actions/connector", Answer(status=503, body=json.dumps(UNKNOWN).encode(), then=then)
    )

    created = await client.create_connector("A", ".webhook", {"url": "x"})

    first, second = server.received
    assert created.name == "A"
    assert (first.body, first.headers.get("x-connectory-command-id")) == (second.body, None)
    assert second.headers["x-connectory-command-id"] == "k-1"


async def test_a_change_that_stays_unknown_is_raised_with_its_command(
    server: HttpTarget, client: ConnectoryClient
) -> None:
    answers(server, "/s/sales/api/actions/connector/c", UNKNOWN, status=503)

    with pytest.raises(ApiError, match="503: not known yet") as unknown:
        await client.delete_connector("c")

    assert unknown.value.attributes == {"command_id": "k-1"}
    assert len(server.received) == 3


async def test_references_are_declared_withdrawn_and_gone_through(server: HttpTarget, client: ConnectoryClient) -> None:
    shown = {"connector_id": "c", "type": "a/b", "id": "1", "declared_at": "2026-05-01T00:00:00.000Z"}
    answers(server, "/s/sales/api/connectory/references/c/a/b/1", {**shown, "declared_by": None})
    answers(server, "/s/sales/api/connectory/references/c", {"items": [shown], "next_cursor": None})

    assert (await client.declare_reference("c", "a/b", "1")).type == "a/b"
    assert (server.last.method, server.last.path) == ("PUT", "/s/sales/api/connectory/references/c/a%2Fb/1")
    assert [reference.id async for reference in client.references("c")] == ["1"]
    await client.withdraw_reference("c", "a/b", "1")
    assert server.last.method == "DELETE"


async def test_the_event_log_is_gone_through_page_by_page(server: HttpTarget, client: ConnectoryClient) -> None:
    item = {"@timestamp": "2026-05-01T00:00:00.000Z", "execution_id": "e", "request_id": "r", "space_id": "sales"}
    items = [item | {"connector_id": "a", "action": "execute"}]
    answers(server, "/s/sales/api/connectory/event_log", {"items": items, "next_cursor": "c1"})
    pages = client.event_log(outcome="success")
    first = await anext(pages)
    answers(server, "/s/sales/api/connectory/event_log", {"items": items, "next_cursor": None})

    rest = [each async for each in pages]

    assert [first.request_id, *(each.request_id for each in rest)] == ["r", "r"]
    assert server.last.path.endswith("?outcome=success&cursor=c1")


async def test_submitted_requests_leave_the_space_to_the_address(server: HttpTarget, client: ConnectoryClient) -> None:
    answers(server, "/s/sales/api/connectory/action_requests", {"items": [{"request_id": "r"}]}, status=202)

    ids = await client.submit([NewActionRequest(connector_id="a", params={"b": 1}, request_id="r")])

    assert ids == ["r"]
    sent = json.loads(server.last.body)["requests"]
    assert sent == [{"connector_id": "a", "params": {"b": 1}, "request_id": "r", "delivery": "at_least_once"}]


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_connector_is_switched(server: HttpTarget, client: ConnectoryClient, enabled: bool) -> None:
    path = "/s/sales/api/connectory/connector/a/" + ("_enable" if enabled else "_disable")
    answers(server, path, {"id": "a", "enabled": enabled, "version": 3})

    switched = await (client.enable_connector("a") if enabled else client.disable_connector("a"))

    assert (switched.enabled, switched.version) == (enabled, 3)
    assert (server.last.method, server.last.path) == ("POST", path)


async def test_a_delivery_policy_is_sent_whole(server: HttpTarget, client: ConnectoryClient) -> None:
    sent = {"max_attempts": 5, "max_in_flight": None, "requests_per_second": 0.5, "burst": None}
    answers(server, "/s/sales/api/connectory/connector/a/delivery_policy", sent)

    policy = await client.set_delivery_policy("a", DeliveryPolicy(max_attempts=5, requests_per_second=0.5))

    assert policy == DeliveryPolicy(max_attempts=5, requests_per_second=0.5)
    assert json.loads(server.last.body) == sent


async def test_how_a_connector_delivers_is_shown(server: HttpTarget, client: ConnectoryClient) -> None:
    shown = {"id": "a", "name": "A", "connector_type_id": ".webhook", "enabled": False, "version": 7, "later": 1}
    answers(server, "/s/sales/api/connectory/connector/a", {**shown, "delivery_policy": {"burst": 2, "later": 1}})

    delivery = await client.connector_delivery("a")

    assert (delivery.enabled, delivery.version, delivery.delivery_policy) == (False, 7, DeliveryPolicy(burst=2))


async def test_a_request_is_cancelled(server: HttpTarget, client: ConnectoryClient) -> None:
    answer = {"request_id": "r/1", "connector_id": "a", "status": "cancelled"}
    answers(server, "/s/sales/api/connectory/action_requests/r/1", answer)

    cancelled = await client.cancel("r/1", "a")

    assert (cancelled.status, cancelled.connector_id) == ("cancelled", "a")
    assert (server.last.method, server.last.path) == (
        "DELETE",
        "/s/sales/api/connectory/action_requests/r%2F1?connector_id=a",
    )


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with ConnectoryClient(f"http://127.0.0.1:{free_port()}", "admin", "x") as client:
        with pytest.raises(Unavailable, match="cannot reach Connectory at"):
            await client.connectors()


async def test_connectors_are_exported_as_a_file(server: HttpTarget, client: ConnectoryClient) -> None:
    server.answers_with("/s/sales/api/saved_objects/_export", Answer(status=200, body=b'{"id":"a"}\n{}'))

    assert await client.export_connectors() == b'{"id":"a"}\n{}'
    assert json.loads(server.last.body) == {"type": "action"}


async def test_connectors_are_imported_from_a_file(server: HttpTarget, client: ConnectoryClient) -> None:
    error = {"type": "action", "id": "b", "meta": {}, "error": {"type": "conflict"}}
    imported = {"type": "action", "id": "a", "meta": {}, "managed": False, "destinationId": "x"}
    body = {"success": False, "successCount": 1, "successResults": [imported], "errors": [error], "warnings": []}
    answers(server, "/s/sales/api/saved_objects/_import", body)

    result = await client.import_connectors(b'{"id":"a"}', overwrite=True)

    assert (result.success, result.imported[0].destination_id) == (False, "x")
    assert result.errors[0].error == {"type": "conflict"}
    assert b'filename="connectors.ndjson"' in server.last.body
    assert server.last.path == "/s/sales/api/saved_objects/_import?overwrite=true&createNewCopies=false"


async def test_an_export_that_is_refused_is_raised(server: HttpTarget, client: ConnectoryClient) -> None:
    answers(server, "/s/sales/api/saved_objects/_export", {"message": "Unable to bulk_get action"}, status=403)

    with pytest.raises(ApiError, match="403: Unable to bulk_get action"):
        await client.export_connectors()
