"""What an executor counts on the way of its requests."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from connectory.domain.execution import ErrorSource, Failed, Result, Succeeded
from connectory.domain.statistics import ExecutorReport, Figures, OpenWork, PollResult, RunResult
from connectory.executor import ReportSettings
from connectory.executor.statistics import Statistics, by_type
from connectory.infra import topics
from connectory.testing import ManualClock
from tests.unit.connectors import AT
from tests.unit.installation import Installation
from tests.waiting import until_answer

WORK = OpenWork(at=AT, idle={}, running={}, unread=0, postponed=0, due_within=())


def statistics(window: int = 50) -> Statistics:
    return Statistics(ManualClock(AT), window)


def figures(counted: Statistics) -> Figures:
    return counted.figures(WORK, 0)


def failed(reason: str) -> Failed:
    return Failed(message="", reason=reason, error_source=ErrorSource.USER)


@pytest.mark.parametrize(
    ("taken", "room", "full", "result"),
    [
        (0, 10, False, PollResult.EMPTY),
        (3, 10, False, PollResult.FILLED),
        (10, 10, True, PollResult.MORE_THAN_FITS),
        (3, 10, True, PollResult.EXACTLY_FULL),
    ],
)
def test_a_poll_is_told_by_what_it_brought(taken: int, room: int, full: bool, result: PollResult) -> None:
    counted = statistics()

    counted.polled(0.0042, taken, room, full=full)

    assert [(poll.milliseconds, poll.result) for poll in figures(counted).polls] == [(4, result)]
    assert figures(counted).last_successful_poll == AT


def test_an_executor_without_room_looks_for_some_and_that_is_its_poll() -> None:
    counted = statistics()
    counted.paused()
    counted.beat(load=100)
    counted.resumed()
    counted.beat(load=50)

    assert [poll.result for poll in figures(counted).polls] == [PollResult.PAUSED]
    assert (figures(counted).load, figures(counted).last_polling_delay) == ((100, 50), AT)


def test_what_a_poll_passed_over_is_counted_with_it() -> None:
    counted = statistics()
    counted.skipped()
    counted.skipped()
    counted.forwarded()
    counted.polled(0, 3, 10, full=False)
    counted.polled(0, 0, 10, full=False)

    assert [(poll.skipped, poll.forwarded) for poll in figures(counted).polls] == [(2, 1), (0, 0)]


@pytest.mark.parametrize(
    ("result", "tried_again", "told"),
    [
        (Succeeded(), False, RunResult.SUCCESS),
        (failed("target"), False, RunResult.SUCCESS),
        (failed("target"), True, RunResult.RETRY_SCHEDULED),
        (failed("internal"), False, RunResult.FAILED),
        (failed("run-timeout"), False, RunResult.FAILED),
        (failed("secrets-unreadable"), False, RunResult.FAILED),
        (failed("internal"), True, RunResult.RETRY_SCHEDULED),
    ],
)
def test_a_run_fails_when_it_broke_and_not_when_its_target_did(
    result: Result, tried_again: bool, told: RunResult
) -> None:
    counted = statistics()

    counted.ended(".x", 0.03, result, AT if tried_again else None)

    assert [(run.milliseconds, run.result) for run in figures(counted).runs["actions:.x"]] == [(30, told)]


def test_lateness_is_counted_where_a_run_was_due() -> None:
    counted = statistics()
    counted.started(AT, AT + timedelta(milliseconds=12))
    counted.started(None, AT)

    assert figures(counted).drift == (12,)


def test_only_the_latest_samples_are_kept() -> None:
    counted = statistics(window=2)
    for _ in range(5):
        counted.ended(".x", 0, Succeeded(), None)
    counted.worked(0)

    assert len(figures(counted).runs["actions:.x"]) == 2
    assert (figures(counted).recurring, counted.run_count) == ((False, True), 5)


def test_requests_are_counted_by_type_as_far_as_that_is_known() -> None:
    idle, running = by_type([("a", 2, 1), ("b", 1, 0), ("gone", 4, 0)], {"a": ".x", "b": ".x"}.get)

    assert (idle, running) == (Counter({".x": 3, "": 4}), Counter({".x": 1, "": 0}))


async def test_an_executor_reports_what_is_open_and_what_it_has_done() -> None:
    installation = await Installation().create_topics()
    installation.reports = ReportSettings(interval=timedelta(milliseconds=10))
    await installation.connector("c1")
    async with installation.executor():
        await installation.submit("r1")
        last = await until_answer(lambda: latest_report(installation), lambda found: found.get("runs_per_minute") == 1)

    assert last["runs"]["actions:.webhook"] == [[0, "Success"]]
    assert last["work"]["unread"] == 0


async def latest_report(installation: Installation) -> Mapping[str, Any]:
    found = installation.read(topics.EXECUTOR_REPORTS, ExecutorReport)
    return found[-1].figures if found else {}
