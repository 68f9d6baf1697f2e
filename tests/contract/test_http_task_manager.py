"""The health of the executors over HTTP, with executors that report."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import OutgoingRequest, OutgoingResponse
from connectory.executor import ReportSettings
from tests.http_gateway import ADMIN, CONNECTOR, VIEWER, HttpGateway, http_gateway, reading_replies
from tests.unit.installation import Installation
from tests.waiting import until_answer

HEALTH = "/api/task_manager/_health"
REPORTS = ReportSettings(interval=timedelta(milliseconds=20), refresh=timedelta(seconds=60))


@pytest.fixture
async def installation() -> Installation:
    installation = await Installation().create_topics()
    installation.reports = REPORTS
    return installation


@pytest.fixture
async def reported(installation: Installation) -> AsyncIterator[HttpGateway]:
    async with http_gateway(installation) as gateway:
        await reading_replies(gateway)
        await health(gateway, lambda document: "stats" in document)
        yield gateway


async def health(gateway: HttpGateway, wanted: Any) -> Any:
    answer = await until_answer(lambda: gateway.get(HEALTH), lambda answer: wanted(answer.body))
    return answer.body


async def test_before_any_executor_has_reported_the_document_is_short(installation: Installation) -> None:
    async with http_gateway(installation, roles=False) as gateway:
        answer = await gateway.get(HEALTH)

    assert (answer.status, answer.body["status"]) == (200, "error")
    assert answer.body.keys() == {"id", "timestamp", "status"}


@pytest.mark.parametrize("caller", [ADMIN, VIEWER])
@pytest.mark.parametrize("space", ["", "/s/anything"])
async def test_any_caller_may_see_it_and_a_space_makes_no_difference(
    reported: HttpGateway, caller: str, space: str
) -> None:
    answer = await reported.get(space + HEALTH, auth=caller)

    assert (answer.status, answer.headers["elastic-api-version"]) == (200, "2023-10-31")
    assert "stats" in answer.body


async def test_it_wants_a_login(reported: HttpGateway) -> None:
    assert (await reported.get(HEALTH, auth=None)).status == 401


async def test_the_document_has_every_figure(reported: HttpGateway) -> None:
    stats = (await reported.get(HEALTH)).body["stats"]

    assert stats["runtime"]["value"]["polling"]["result_frequency_percent_as_number"].keys() == {
        "Failed", "NoAvailableWorkers", "NoTasksClaimed", "RanOutOfCapacity", "RunningAtCapacity", "PoolFilled"
    }  # fmt: skip
    assert stats["workload"]["value"].keys() == {
        "count", "task_types", "schedule", "non_recurring", "owner_ids", "overdue", "overdue_non_recurring",
        "estimated_schedule_density", "capacity_requirements",
    }  # fmt: skip
    assert stats["configuration"]["value"] == {
        "request_capacity": 1000,
        "poll_interval": 500,
        "max_workers": 10,
        "capacity": {"config": 10, "as_workers": 10, "as_cost": 20},
        "monitored_aggregated_stats_refresh_rate": 60000,
        "monitored_stats_running_average_window": 50,
        "monitored_task_execution_thresholds": {"default": {"error_threshold": 90, "warn_threshold": 80}, "custom": {}},
    }


async def test_runs_are_counted_by_their_type_whatever_the_target_says(reported: HttpGateway) -> None:
    async def fails(_: OutgoingRequest) -> OutgoingResponse:
        return OutgoingResponse(status=500, reason="", headers={}, body=b"")

    reported.installation.target.answer = fails
    await reported.create("c1")
    await reported.call("POST", f"{CONNECTOR}/c1/_execute", {"params": {"body": "x"}})

    document = await health(reported, lambda found: "actions:.webhook" in executions(found)["duration"])
    shares = executions(document)["result_frequency_percent_as_number"]["actions:.webhook"]
    assert shares == {"Success": 100, "RetryScheduled": 0, "Failed": 0, "status": "OK"}


async def test_executors_that_have_something_to_do_are_well(reported: HttpGateway) -> None:
    document = await health(reported, lambda found: found["status"] == "OK")

    assert "reason" not in document
    workload = document["stats"]["workload"]["value"]
    assert (workload["owner_ids"], workload["non_recurring"], workload["schedule"]) == (1, 0, [["60s", 1]])
    observed = document["stats"]["capacity_estimation"]["value"]["observed"]
    assert (observed["observed_kibana_instances"], observed["max_throughput_per_minute"]) == (1, 1200)


def executions(document: Any) -> Any:
    return document["stats"]["runtime"]["value"]["execution"]
