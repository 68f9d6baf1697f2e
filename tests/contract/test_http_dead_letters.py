"""Dead letters over HTTP: what is listed to whom, what is repeated as which request, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.domain.dead_letters import DeadLetter, DeadLetterSettled
from connectory.domain.execution import ActionRequest
from connectory.infra import topics
from tests.dead_letters import MESSAGES, letter, request, undecodable
from tests.fakes.egress import responds
from tests.http_gateway import VIEWER, HttpGateway, http_gateway, reading_replies
from tests.projection_events import minutes
from tests.unit.connectors import AT
from tests.unit.installation import Answer, Installation
from tests.waiting import until_answer

LETTERS = "/api/connectory/dead_letters"
REDRIVE, DROP = f"{LETTERS}/_redrive", f"{LETTERS}/_drop"
ID = "action-requests.0.{}"


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        for connector_id in ("c1", "other"):
            await gateway.create(connector_id)
        yield gateway


async def given(gateway: HttpGateway, *letters: DeadLetter) -> None:
    """Write the letters, and wait until they can be read."""
    write = [MESSAGES.message(topics.ACTION_DEAD_LETTERS, None, each, at=each.at, partition=0) for each in letters]
    await gateway.installation.write(*write)
    place = letters[-1]
    space = f"/s/{place.space_id}" if place.space_id not in (None, "default") else ""
    path = f"{space}{LETTERS}/{ID.format(place.offset)}"
    await until_answer(lambda: gateway.get(path), lambda answer: answer.status == 200)


async def listed(gateway: HttpGateway, query: str = "", space: str = "") -> list[Any]:
    items = (await gateway.get(space + LETTERS + query)).body["items"]
    return [(item["id"].rpartition(".")[2], item["status"]) for item in items]


def says(status: int) -> Answer:
    async def answer(_request: OutgoingRequest) -> OutgoingResponse:
        return responds(status)

    return answer


def requests(gateway: HttpGateway) -> list[ActionRequest]:
    return gateway.installation.read(topics.ACTION_REQUESTS, ActionRequest)


def settlements(gateway: HttpGateway) -> list[DeadLetterSettled]:
    types: tuple[type[Any], ...] = (DeadLetter, DeadLetterSettled)
    found = gateway.installation.read(topics.ACTION_DEAD_LETTERS, *types)
    return [each for each in found if isinstance(each, DeadLetterSettled)]


async def test_open_letters_of_the_space_are_listed_newest_first_page_by_page(gateway: HttpGateway) -> None:
    elsewhere = letter(9, of=request("r9", space_id="red"))
    await given(gateway, letter(0), letter(1, at=minutes(1)), letter(2, at=minutes(2)), undecodable(3), elsewhere)

    first = (await gateway.get(f"{LETTERS}?size=2")).body
    rest = await listed(gateway, f"?size=2&cursor={first['next_cursor']}")

    assert [item["request_id"] for item in first["items"]] == ["r2", "r1"]
    assert rest == [("3", "open"), ("0", "open")]
    assert await listed(gateway, space="/s/red") == [("9", "open")]


async def test_a_letter_is_shown_with_its_request(gateway: HttpGateway) -> None:
    await given(gateway, letter(5, headers=(("ce_id", b"r5"),)))

    body = (await gateway.get(f"{LETTERS}/{ID.format(5)}")).body

    assert (body["id"], body["reason"], body["connector_id"]) == ("action-requests.0.5", "target-failed", "c1")
    assert (body["request"]["params"], body["value"]) == ({"body": "r5"}, None)
    assert (body["key"], body["headers"]) == ("c1", [{"name": "ce_id", "value": "r5"}])


async def test_of_a_record_that_cannot_be_read_the_bytes_are_shown(gateway: HttpGateway) -> None:
    await given(gateway, undecodable(1, b"\x07junk" * 1000))

    body = (await gateway.get(f"{LETTERS}/{ID.format(1)}")).body

    assert body["request"] is None
    assert body["value"]["text"].startswith("\x07junk")
    assert body["value"]["hex"].startswith("076a756e6b")
    assert (body["value"]["truncated"], body["value_bytes"]) == (True, 5000)


async def test_a_redriven_request_is_new_and_names_the_one_it_repeats(gateway: HttpGateway) -> None:
    given_up = request("r1", ordering_key="k", source="nightly", expires_at=AT, connector_version=3)
    await given(gateway, letter(1, of=given_up))

    answer = await gateway.call("POST", REDRIVE, {"ids": [ID.format(1)]})

    [again] = requests(gateway)
    item = {"id": ID.format(1), "request_id": again.request_id}
    assert (answer.status, answer.body) == (200, {"redriven": 1, "items": [item], "more": False})
    assert (again.redrive_of, again.ordering_key, again.source, again.params) == ("r1", "k", "nightly", {"body": "r1"})
    assert (again.requested_by, again.expires_at, again.connector_version) == ("admin", None, None)
    assert again.request_id != "r1"


async def test_what_was_done_is_on_the_log_and_shown_at_once(gateway: HttpGateway) -> None:
    await given(gateway, letter(1), letter(2), letter(3))

    redriven = (await gateway.call("POST", REDRIVE, {"ids": [ID.format(1)]})).body["items"][0]["request_id"]
    await gateway.call("POST", DROP, {"ids": [ID.format(2)]})

    assert await listed(gateway, "?status=all") == [("3", "open"), ("2", "dropped"), ("1", "redriven")]
    assert await listed(gateway) == [("3", "open")]
    assert [(each.offset, each.by, each.redriven_as) for each in settlements(gateway)] == [
        (1, "admin", redriven),
        (2, "admin", None),
    ]


async def test_letters_are_redriven_by_filter_oldest_first(gateway: HttpGateway) -> None:
    await given(
        gateway,
        letter(1, at=minutes(5)),
        letter(2, at=minutes(1)),
        letter(3, of=request("r3", "other")),
        letter(4, reason="too-old"),
        undecodable(5),
        letter(6),
    )

    answer = await gateway.call("POST", REDRIVE, {"filter": {"connector_id": "c1", "reason": "target-failed"}})

    assert answer.body["redriven"] == 3
    assert [each.redrive_of for each in requests(gateway)] == ["r6", "r2", "r1"]


async def test_what_one_call_leaves_is_said(gateway: HttpGateway) -> None:
    await given(gateway, *(letter(number) for number in range(1001)))

    answers = [await gateway.call("POST", DROP, {"filter": {}, "rate_per_second": 10_000}) for _ in range(2)]

    assert [(answer.body["dropped"], answer.body["more"]) for answer in answers] == [(1000, True), (1, False)]


@pytest.mark.parametrize("path", [REDRIVE, DROP])
async def test_a_letter_is_settled_once(gateway: HttpGateway, path: str) -> None:
    await given(gateway, letter(1), letter(2))
    redriven = await gateway.call("POST", REDRIVE, {"ids": [ID.format(1)]})

    again = await gateway.call("POST", path, {"ids": [ID.format(2), ID.format(1)]})

    as_request = redriven.body["items"][0]["request_id"]
    text = f"Dead letter {ID.format(1)} was redriven already, as request {as_request}"
    assert (again.status, again.message) == (409, text)
    assert (len(requests(gateway)), len(settlements(gateway))) == (1, 1)


@pytest.mark.parametrize("path", [REDRIVE, DROP])
async def test_a_letter_that_was_dropped_is_settled_too(gateway: HttpGateway, path: str) -> None:
    await given(gateway, letter(1))
    await gateway.call("POST", DROP, {"ids": [ID.format(1)]})

    again = await gateway.call("POST", path, {"ids": [ID.format(1)]})
    missing = await gateway.call("POST", path, {"ids": [ID.format(7)]})

    assert (again.status, again.message) == (409, f"Dead letter {ID.format(1)} was dropped")
    assert (missing.status, missing.message) == (404, f"There is no dead letter {ID.format(7)}")


async def test_what_holds_no_request_can_be_dropped_only(gateway: HttpGateway) -> None:
    await given(gateway, undecodable(1), letter(2, value=None, key=None))

    for number in (1, 2):
        refused = await gateway.call("POST", REDRIVE, {"ids": [ID.format(number)]})
        assert refused.status == 400
        assert "holds no request that could be repeated" in refused.message
    dropped = await gateway.call("POST", DROP, {"filter": {}})

    assert dropped.body["dropped"] == 2


async def test_letters_of_another_space_are_not_there(gateway: HttpGateway) -> None:
    await given(gateway, undecodable(1), letter(2))

    answers = [
        await gateway.get(f"/s/red{LETTERS}/{ID.format(2)}"),
        await gateway.get(f"/s/red{LETTERS}/{ID.format(1)}"),
        await gateway.call("POST", f"/s/red{REDRIVE}", {"ids": [ID.format(2)]}),
        await gateway.get(f"{LETTERS}/nothing"),
    ]
    by_filter = await gateway.call("POST", f"/s/red{DROP}", {"filter": {}})

    assert [answer.status for answer in answers] == [404] * 4
    assert answers[2].message == f"There is no dead letter {ID.format(2)}"
    assert by_filter.body == {"dropped": 0, "items": [], "more": False}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "[request body]: expected a plain object value, but found [null] instead."),
        ({}, "[request body]: give either [ids] or [filter]"),
        ({"ids": ["x"], "filter": {}}, "[request body]: give either [ids] or [filter]"),
        ({"ids": []}, "[request body.ids]: array size is [0], but cannot be smaller than [1]"),
        ({"filter": {"status": "open"}}, "[request body.filter.status]: definition for this key is missing"),
        ({"filter": {"from": "x"}}, "[request body.filter.from]: expected a date-time such as"),
        ({"filter": {}, "rate_per_second": 0}, "[request body.rate_per_second]: Value must be equal to or greater"),
    ],
)
async def test_selections_that_are_refused(gateway: HttpGateway, body: Any, message: str) -> None:
    for path in (REDRIVE, DROP):
        answer = await gateway.call("POST", path, body)

        assert answer.status == 400
        assert answer.message.startswith(message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?status=new", "[request query.status]: types that failed validation:\n- [request query.status.0]: "),
        ("?size=1001", "[request query.size]: Value must be equal to or lower than [1000]."),
        ("?cursor=x", 'cursor "x" is not one that a page has named'),
    ],
)
async def test_queries_that_are_refused(gateway: HttpGateway, query: str, message: str) -> None:
    answer = await gateway.get(LETTERS + query)

    assert answer.status == 400
    assert answer.message.startswith(message)


async def test_looking_asks_for_get_redriving_for_execute_and_dropping_for_delete(gateway: HttpGateway) -> None:
    seen = [await gateway.get(path, auth=VIEWER) for path in (LETTERS, f"{LETTERS}/x")]
    settled = [await gateway.call("POST", path, {"filter": {}}, auth=VIEWER) for path in (REDRIVE, DROP)]

    assert {(answer.status, answer.message) for answer in seen} == {(403, "Unauthorized to get actions")}
    assert [(answer.status, answer.message) for answer in settled] == [
        (403, "Unauthorized to execute actions"),
        (403, "Unauthorized to delete actions"),
    ]


async def test_a_request_that_failed_succeeds_when_it_is_redriven(gateway: HttpGateway) -> None:
    installation = gateway.installation
    installation.target.answer = says(404)
    await installation.submit("r1")
    await until_answer(lambda: listed(gateway), lambda found: len(found) == 1)
    installation.target.answer = says(200)

    answer = await gateway.call("POST", REDRIVE, {"filter": {}})

    [_, again] = await installation.final_outcomes(2)
    assert answer.body["items"][0]["request_id"] == again.request_id
    assert (again.outcome, again.redrive_of) == ("success", "r1")
    assert await listed(gateway) == []
