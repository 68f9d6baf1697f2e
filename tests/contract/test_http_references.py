"""References to connectors: what other services say that uses them."""

from collections.abc import AsyncIterator

import pytest

from connectory.domain.references import ConnectorReference, reference_key
from connectory.infra.log import Message
from connectory.infra.topics import CONNECTOR_REFERENCES
from tests.http_gateway import CONNECTOR, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until_answer

REFERENCES = "/api/connectory/references"
RULE = f"{REFERENCES}/c1/alert-rule/r1"
RED = "/s/red"


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    """With `c1` and `c2` in the default space, and `c3` in another."""
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        for connector_id in ("c1", "c2"):
            await gateway.create(connector_id)
        await gateway.call("POST", f"{RED}/api/spaces/space", {"id": "red", "name": "red"})
        await gateway.create("c3", space=RED)
        yield gateway


async def counts(gateway: HttpGateway, space: str = "") -> dict[str, int]:
    listed = (await gateway.get(f"{space}{CONNECTOR}s")).body
    return {each["id"]: each["referenced_by_count"] for each in listed}


async def publish(gateway: HttpGateway, key: str, value: ConnectorReference | None) -> None:
    """As a service does that writes to the topic itself."""
    encoded = gateway.installation.messages.encode(value) if value else None
    await gateway.installation.write(Message(CONNECTOR_REFERENCES, key.encode(), encoded))


async def test_a_reference_is_declared_once_however_often_it_is_said(gateway: HttpGateway) -> None:
    await gateway.call("PUT", RULE)
    answer = await gateway.call("PUT", RULE)

    assert (answer.status, answer.body["declared_by"]) == (200, "admin")
    assert {key: answer.body[key] for key in ("connector_id", "type", "id")} == {
        "connector_id": "c1",
        "type": "alert-rule",
        "id": "r1",
    }
    assert await counts(gateway) == {"c1": 1, "c2": 0}


async def test_a_reference_that_is_withdrawn_does_not_count_and_need_not_have_been_there(gateway: HttpGateway) -> None:
    await gateway.call("PUT", RULE)
    await gateway.call("PUT", f"{REFERENCES}/c1/alert-rule/r2")
    answers = [await gateway.call("DELETE", RULE) for _ in range(2)]

    assert [(answer.status, answer.raw) for answer in answers] == [(204, b""), (204, b"")]
    assert await counts(gateway) == {"c1": 1, "c2": 0}


async def test_what_uses_a_connector_is_listed_newest_first_page_by_page(gateway: HttpGateway) -> None:
    for number in range(3):
        await gateway.call("PUT", f"{REFERENCES}/c1/case/k{number}")
    first = (await gateway.get(f"{REFERENCES}/c1?size=2")).body
    second = (await gateway.get(f"{REFERENCES}/c1?size=2&cursor={first['next_cursor']}")).body

    assert [item["id"] for item in first["items"]] == ["k2", "k1"]
    assert ([item["id"] for item in second["items"]], second["next_cursor"]) == (["k0"], None)


@pytest.mark.parametrize("named", ["a%2Fb", "%C3%A4%20b", "a'\"b", "x" * 256])
async def test_types_and_ids_may_be_any_text(gateway: HttpGateway, named: str) -> None:
    answer = await gateway.call("PUT", f"{REFERENCES}/c1/{named}/{named}")
    await gateway.call("PUT", f"{REFERENCES}/c1/{named}/other")

    assert answer.status == 200
    assert await counts(gateway) == {"c1": 2, "c2": 0}


async def test_a_connector_that_is_referred_to_can_be_deleted_and_nothing_counts_for_a_later_one_elsewhere(
    gateway: HttpGateway,
) -> None:
    await gateway.call("PUT", RULE)
    assert (await gateway.call("DELETE", f"{CONNECTOR}/c1")).status == 204
    await gateway.create("c1", space=RED)

    assert await counts(gateway, RED) == {"c1": 0, "c3": 0}
    assert (await gateway.get(f"{RED}{REFERENCES}/c1")).body["items"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"{REFERENCES}/gone/case/k1"),
        ("DELETE", f"{REFERENCES}/gone/case/k1"),
        ("GET", f"{REFERENCES}/gone"),
        ("PUT", f"{REFERENCES}/c3/case/k1"),
        ("GET", f"{REFERENCES}/c3"),
        ("DELETE", f"{RED}{REFERENCES}/c1/case/k1"),
    ],
)
async def test_a_connector_that_is_not_in_the_space_has_no_references(
    gateway: HttpGateway, method: str, path: str
) -> None:
    answer = await gateway.call(method, path)

    connector_id = path.removeprefix(RED).split("/")[4]
    assert (answer.status, answer.message) == (404, f"Saved object [action/{connector_id}] not found")


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("PUT", RULE, "Unauthorized to execute"),
        ("DELETE", RULE, "Unauthorized to execute"),
        ("GET", f"{REFERENCES}/c1", "Unauthorized to get actions"),
    ],
)
async def test_who_may_not_execute_may_not_declare(gateway: HttpGateway, method: str, path: str, message: str) -> None:
    answer = await gateway.call(method, path, auth=VIEWER)

    assert (answer.status, answer.message[: len(message)]) == (403, message)


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        (
            "PUT",
            f"{REFERENCES}/c1/{'x' * 257}/r1",
            "[request params.type]: value has length [257] but it must have a maximum length of [256].",
        ),
        ("GET", f"{REFERENCES}/c1?size=0", "[request query.size]: Value must be equal to or greater than [1]."),
        ("GET", f"{REFERENCES}/c1?page=1", "[request query.page]: definition for this key is missing"),
        (
            "GET",
            f"{REFERENCES}/c1?cursor=x",
            'cursor "x" is not one that a page has named; start without a cursor',
        ),
    ],
)
async def test_what_does_not_fit_is_a_400(gateway: HttpGateway, method: str, path: str, message: str) -> None:
    answer = await gateway.call(method, path)

    assert (answer.status, answer.message) == (400, message)


async def test_services_declare_and_withdraw_by_records_of_their_own(gateway: HttpGateway) -> None:
    reference = ConnectorReference(connector_id="c2", space_id="default", type="job", id="j/1", at=AT, by="billing")
    await publish(gateway, reference.key, reference)
    declared = await until_answer(lambda: gateway.get(f"{REFERENCES}/c2"), lambda answer: answer.body["items"] != [])
    await publish(gateway, "c2/job/j%2F1", None)
    withdrawn = await until_answer(lambda: gateway.get(f"{REFERENCES}/c2"), lambda answer: answer.body["items"] == [])

    (item,) = declared.body["items"]
    assert (item["type"], item["id"], item["declared_by"]) == ("job", "j/1", "billing")
    assert withdrawn.status == 200


async def test_a_reference_in_the_wrong_space_counts_nowhere(gateway: HttpGateway) -> None:
    reference = ConnectorReference(connector_id="c2", space_id="red", type="job", id="j1", at=AT, by=None)
    await publish(gateway, reference.key, reference)
    await gateway.call("PUT", f"{REFERENCES}/c2/job/j2")

    assert await counts(gateway, RED) == {"c3": 0}
    assert [item["id"] for item in (await gateway.get(f"{REFERENCES}/c2")).body["items"]] == ["j2"]


def test_keys_of_references_are_told_apart() -> None:
    named = (("a/b", "c", "d"), ("a", "b/c", "d"), ("a", "b", "c/d"), ("a%2Fb", "c", "d"))
    assert len({reference_key(*parts) for parts in named}) == len(named)
