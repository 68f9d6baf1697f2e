"""The list of runs, and how many ended in which way, over HTTP."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain import outcomes
from connectory.domain.execution import Failed
from connectory.domain.privileges import Right, granted
from connectory.testing import ManualClock
from tests.ended_runs import BOOM, attempt, cut_off, run
from tests.http_gateway import VIEWER, XSRF, Answer, HttpGateway, Users, http_gateway
from tests.projection_events import NOON, minutes
from tests.unit.installation import Installation

LOGS = "/internal/actions/_global_connector_execution_logs"
KPI = "/internal/actions/_global_connector_execution_kpi"
INTERNAL = {**XSRF, "x-elastic-internal-origin": "tests"}
HOUR = {"date_start": "2026-11-24T12:00:00.000Z"}
NONE = {"success": 0, "unknown": 0, "failure": 0, "warning": 0}

NO_SORT = (
    "[request body.sort.0]: types that failed validation:\n"
    "- [request body.sort.0.0.timestamp]: expected value of type [object] but got [undefined]\n"
    "- [request body.sort.0.1.execution_duration]: expected value of type [object] but got [undefined]\n"
    "- [request body.sort.0.2.schedule_delay]: expected value of type [object] but got [undefined]"
)

ERROR = "error calling webhook, retry later: [503] Service Unavailable; retry: true"
FAILED = {
    "id": "e1",
    "timestamp": "2026-11-24T12:00:00.000Z",
    "duration_ms": 27,
    "schedule_delay_ms": 1500,
    "status": "failure",
    "message": f"action execution failure: .webhook:c1: hook - {ERROR}",
    "version": "9.3.0",
    "source": "http_request",
    "connector_name": "hook",
    "connector_id": "c1",
    "space_ids": ["default"],
    "timed_out": False,
}

both = pytest.mark.parametrize("path", [LOGS, KPI])


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    installation = await Installation().create_topics()
    installation.clock = ManualClock(minutes(60))
    async with http_gateway(installation, roles=False) as gateway:
        yield gateway


async def post(gateway: HttpGateway, path: str = LOGS, space: str = "", **body: Any) -> Answer:
    return await gateway.call("POST", space + path, {**HOUR, **body}, headers=INTERNAL)


async def ids(gateway: HttpGateway, **body: Any) -> list[str]:
    answer = await post(gateway, **body)
    assert answer.status == 200
    return [item["id"] for item in answer.body["data"]]


async def test_a_run_is_listed_with_what_became_of_it(gateway: HttpGateway) -> None:
    due = NOON - timedelta(milliseconds=1500)
    await gateway.read_models.add_outcomes(*run("e1", BOOM, source="http_request", scheduled_at=due))

    assert (await post(gateway)).body == {"total": 1, "data": [FAILED]}


async def test_a_success_has_its_message_alone_and_nothing_where_nothing_is_known(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1"))

    (item,) = (await post(gateway)).body["data"]

    assert (item["message"], item["status"]) == ("action executed: .webhook:c1: hook", "success")
    assert (item["source"], item["schedule_delay_ms"]) == ("", 0)


async def test_a_run_that_only_timed_out_is_listed_empty_and_not_counted(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*cut_off("e1"))

    answer = await post(gateway)

    empty = {"timestamp": "", "status": "", "message": "", "version": "", "source": "", "connector_name": ""}
    (item,) = answer.body["data"]
    assert item == {
        **empty,
        "id": "e1",
        "duration_ms": 0,
        "schedule_delay_ms": 0,
        "connector_id": "",
        "space_ids": [],
        "timed_out": True,
    }
    assert answer.body["total"] == 0


@both
async def test_without_runs_all_is_empty(gateway: HttpGateway, path: str) -> None:
    assert (await post(gateway, path)).body == ({"total": 0, "data": []} if path == LOGS else NONE)


async def test_what_never_began_is_neither_listed_nor_counted(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(
        outcomes.refuse(attempt("e1"), NOON, Failed(message="params", reason="params-invalid")),
        outcomes.start(attempt("e2"), NOON),
    )

    assert await ids(gateway) == []
    assert (await post(gateway, KPI)).body == NONE


async def test_outcomes_are_counted(gateway: HttpGateway) -> None:
    runs = [run("e1"), run("e2"), run("e3", BOOM), cut_off("e4")]
    await gateway.read_models.add_outcomes(*(each for pair in runs for each in pair))

    assert (await post(gateway, KPI)).body == {**NONE, "success": 2, "failure": 1}


async def three_runs(gateway: HttpGateway) -> None:
    delays: Sequence[tuple[str, float, float, float]] = [("e1", 1, 30, 5), ("e2", 2, 10, 9), ("e3", 3, 20, 1)]
    for id_, minute, took, late in delays:
        due, lasted = minutes(minute) - timedelta(seconds=late), timedelta(milliseconds=took)
        await gateway.read_models.add_outcomes(*run(id_, at=minutes(minute), took=lasted, scheduled_at=due))


async def test_whole_milliseconds_have_no_fraction(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(
        *run("e1", took=timedelta(milliseconds=5)), *run("e2", took=timedelta(microseconds=1500), at=minutes(1))
    )

    answer = await post(gateway)

    assert [str(item["duration_ms"]) for item in answer.body["data"]] == ["1.5", "5"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, ["e3", "e2", "e1"]),
        ([{"timestamp": {"order": "asc"}}], ["e1", "e2", "e3"]),
        ([{"execution_duration": {"order": "desc"}}], ["e1", "e3", "e2"]),
        ([{"schedule_delay": {"order": "asc"}}], ["e3", "e1", "e2"]),
    ],
)
async def test_runs_come_newest_first_or_as_the_sort_says(gateway: HttpGateway, sort: Any, order: list[str]) -> None:
    await three_runs(gateway)

    assert await ids(gateway, **({"sort": sort} if sort else {})) == order


async def test_pages_follow_one_another_and_the_total_stays(gateway: HttpGateway) -> None:
    await three_runs(gateway)

    pages = [await post(gateway, per_page=2, page=page) for page in (1, 2, 3)]

    assert [[item["id"] for item in page.body["data"]] for page in pages] == [["e3", "e2"], ["e1"], []]
    assert [page.body["total"] for page in pages] == [3, 3, 3]


async def test_no_more_than_a_thousand_runs_are_listed(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1"))

    assert (await post(gateway, per_page=100, page=11)).body == {"total": 1, "data": []}


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ({"date_start": "2026-11-24T12:02:00.000Z"}, ["e3", "e2"]),
        ({"date_end": "2026-11-24T12:02:00.010Z"}, ["e2", "e1"]),
        ({"date_end": "2026-11-24T12:02:00.009Z"}, ["e1"]),
        ({"date_start": "58m"}, ["e3", "e2"]),
        ({"date_start": "1h"}, ["e3", "e2", "e1"]),
        ({"date_start": "1d", "date_end": "3500s"}, ["e1"]),
        ({"date_start": "Tue, 24 Nov 2026 12:03:00 GMT"}, ["e3"]),
        ({"date_start": "2026/11/24 12:03"}, ["e3"]),
        ({"date_start": "2026/9/1", "date_end": "2026/11/24 12:01:30"}, ["e1"]),
        ({"date_start": "2026-11"}, ["e3", "e2", "e1"]),
        ({"date_start": "2026", "date_end": "2026-11"}, []),
        ({"date_start": "2026-11-24", "date_end": "2026-11-24T13:01:30+01:00"}, ["e1"]),
    ],
)
async def test_the_window_holds_both_its_ends(gateway: HttpGateway, window: dict[str, str], found: list[str]) -> None:
    await three_runs(gateway)

    assert await ids(gateway, **window) == found


@pytest.mark.parametrize("text", ["yesterday", "", "05m", "5w", "2026-13-01", "9999999999d", "5 m"])
@pytest.mark.parametrize(("key", "parameter"), [("date_start", "dateStart"), ("date_end", "dateEnd")])
async def test_what_is_no_date_is_named(gateway: HttpGateway, key: str, parameter: str, text: str) -> None:
    answer = await post(gateway, **{key: text})

    assert (answer.status, answer.message) == (400, f'Invalid date for parameter {parameter}: "{text}"')


@both
@pytest.mark.parametrize(("key", "type_"), [("date_end", "string"), ("filter", "string"), ("namespaces", "array")])
async def test_what_may_be_left_out_may_not_be_null(gateway: HttpGateway, path: str, key: str, type_: str) -> None:
    nothing: dict[str, Any] = {key: None}
    answer = await post(gateway, path, **nothing)

    text = f"[request body.{key}]: expected value of type [{type_}] but got [null]"
    assert (answer.status, answer.message) == (400, text)


async def test_the_figures_name_what_is_no_date_too(gateway: HttpGateway) -> None:
    answers = [await post(gateway, KPI, **{key: "x"}) for key in ("date_start", "date_end")]

    texts = [f'Invalid date for parameter {name}: "x"' for name in ("dateStart", "dateEnd")]
    assert [(answer.status, answer.message) for answer in answers] == [(400, text) for text in texts]


@both
async def test_a_filter_that_is_no_kql_is_shown_as_it_was_combined(gateway: HttpGateway, path: str) -> None:
    answer = await post(gateway, path, filter="event.outcome: (")

    combined = "event.outcome: ( AND (event.provider: actions AND NOT event.action: execute-start)"
    assert (answer.status, answer.message) == (400, f"Invalid kuery syntax for filter {combined}")


async def test_a_filter_is_met_by_all_that_is_listed_and_counted(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1"), *run("e2", BOOM), *run("e3", BOOM, connector_id="c2"))

    only = 'event.outcome: failure and kibana.saved_objects: { id: "c1" and type: "action" }'
    assert await ids(gateway, filter=only) == ["e2"]
    assert (await post(gateway, KPI, filter=only)).body == {**NONE, "failure": 1}


async def test_a_filter_may_let_starts_through_but_they_are_no_runs(gateway: HttpGateway) -> None:
    await gateway.read_models.add_outcomes(*run("e1"), outcomes.start(attempt("e2"), NOON))

    assert await ids(gateway, filter="event.kind: action or event.outcome: failure") == ["e1"]


async def test_runs_are_those_of_the_space_and_of_what_belongs_to_none(gateway: HttpGateway) -> None:
    in_memory = run("e3", connector_id="ops", space_id="blue", in_memory=True)
    await gateway.read_models.add_outcomes(*run("e1"), *run("e2", space_id="red"), *in_memory)

    assert sorted(await ids(gateway)) == ["e1", "e3"]
    assert sorted(await ids(gateway, space="/s/red")) == ["e2", "e3"]
    assert sorted(await ids(gateway, namespaces=["default", "red"])) == ["e1", "e2", "e3"]
    assert await ids(gateway, namespaces=[]) == ["e3"]


async def test_spaces_that_the_caller_may_not_read_are_left_out() -> None:
    users = Users()
    users.roles["reader"] = granted({"default", "red"}, {Right.GET})
    reader = users.add("reader", "reader")
    installation = await Installation(clock=ManualClock(minutes(60))).create_topics()
    async with http_gateway(installation, roles=False, users=users) as gateway:
        for space in ("default", "red", "blue"):
            await gateway.read_models.add_outcomes(*run(f"in {space}", space_id=space))
        body = {**HOUR, "namespaces": ["default", "red", "blue"]}
        answer = await gateway.call("POST", LOGS, body, headers=INTERNAL, auth=reader)

    assert sorted(item["id"] for item in answer.body["data"]) == ["in default", "in red"]


@both
async def test_who_may_not_get_connectors_sees_no_runs(gateway: HttpGateway, path: str) -> None:
    answer = await gateway.call("POST", path, HOUR, headers=INTERNAL, auth=VIEWER)

    assert (answer.status, answer.message) == (403, "Unauthorized to get actions")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"date_start": 5}, "[request body.date_start]: expected value of type [string] but got [number]"),
        (
            {"date_start": "x" * 101},
            "[request body.date_start]: value has length [101] but it must have a maximum length of [100].",
        ),
        (
            {"filter": "x" * 8193},
            "[request body.filter]: value has length [8193] but it must have a maximum length of [8192].",
        ),
        ({"per_page": 0}, "[request body.per_page]: Value must be equal to or greater than [1]."),
        ({"per_page": 101}, "[request body.per_page]: Value must be equal to or lower than [100]."),
        ({"page": 0}, "[request body.page]: Value must be equal to or greater than [1]."),
        ({"page": 1001}, "[request body.page]: Value must be equal to or lower than [1000]."),
        ({"sort": [{}] * 11}, "[request body.sort]: array size is [11], but cannot be greater than [10]"),
        (
            {"namespaces": ["x"] * 1001},
            "[request body.namespaces]: array size is [1001], but cannot be greater than [1000]",
        ),
        (
            {"namespaces": ["x" * 1001]},
            "[request body.namespaces.0]: value has length [1001] but it must have a maximum length of [1000].",
        ),
        ({"foo": 1}, "[request body.foo]: definition for this key is missing"),
        (
            {"sort": [{"message": {"order": "asc"}}]},
            NO_SORT,
        ),
    ],
)
async def test_the_schema_comes_first(gateway: HttpGateway, body: dict[str, Any], text: str) -> None:
    answer = await gateway.call("POST", LOGS, {**HOUR, **body}, headers=INTERNAL, auth=VIEWER)

    assert (answer.status, answer.message) == (400, text)


async def test_a_start_of_the_window_must_be_given(gateway: HttpGateway) -> None:
    answer = await gateway.call("POST", LOGS, {}, headers=INTERNAL)

    text = "[request body.date_start]: expected value of type [string] but got [undefined]"
    assert (answer.status, answer.message) == (400, text)
