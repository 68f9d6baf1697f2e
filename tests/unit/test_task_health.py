"""From what executors report to what it means."""

import logging
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectory.domain.statistics import ExecutorReport, Figures, OpenWork, Poll, PollResult, Run, RunResult
from connectory.gateway.task_health.document import health_of
from connectory.gateway.task_health.health import Cadence, Capacity, Merged, percentiles, run_frequencies
from connectory.gateway.task_health.reports import ALIVE_FOR, ExecutorReports, Report
from connectory.gateway.task_health.watch import ADVICE, TaskHealth
from connectory.infra.log import Record
from connectory.infra.messages import Messages
from connectory.infra.settings import TaskManagerSettings
from connectory.testing import InMemoryLog, ManualClock
from tests.unit.connectors import AT

SETTINGS = TaskManagerSettings()
WORK = OpenWork(at=AT, idle={}, running={}, unread=0, postponed=0, due_within=())
FIGURES = Figures(
    polls=(Poll(4, PollResult.EMPTY, 0, 0),),
    last_successful_poll=AT,
    last_polling_delay=None,
    drift=(),
    load=(),
    runs={},
    recurring=(),
    runs_per_minute=0,
    work=WORK,
)


def runs(**counts: int) -> tuple[Run, ...]:
    return tuple(Run(10, result) for result in RunResult for _ in range(counts.get(result.name, 0)))


def document(
    *figures: Figures, now: datetime = AT, settings: TaskManagerSettings = SETTINGS, workers: int = 10
) -> dict[str, Any]:
    merged = Merged([Report(AT, each) for each in figures], settings)
    return dict(health_of("g1", now, merged, settings, workers).document)


@pytest.mark.parametrize(
    ("failed", "status"), [(80, "OK"), (81, "warn"), (90, "warn"), (91, "error"), (100, "error"), (0, "OK")]
)
def test_a_share_of_failed_runs_counts_when_it_exceeds_the_threshold(failed: int, status: str) -> None:
    figures = replace(FIGURES, runs={"actions:.x": runs(FAILED=failed, SUCCESS=100 - failed)})

    shown = document(figures)

    found = shown["stats"]["runtime"]["value"]["execution"]["result_frequency_percent_as_number"]["actions:.x"]
    assert (found["Failed"], found["status"]) == (failed, status)
    assert shown["status"] == shown["stats"]["runtime"]["status"] == status
    assert ("reason" in shown) == (status != "OK") == ("reason" in shown["stats"]["runtime"])


def test_the_thresholds_of_a_task_type_win() -> None:
    custom = {"actions:.x": {"error_threshold": 20, "warn_threshold": 10}}
    settings = TaskManagerSettings.model_validate(
        {"xpack.task_manager.monitored_task_execution_thresholds.custom": custom}
    )
    figures = replace(FIGURES, runs={"actions:.x": runs(FAILED=15, SUCCESS=85), "actions:.y": runs(FAILED=1)})

    shown = document(figures, settings=settings)

    frequencies = shown["stats"]["runtime"]["value"]["execution"]["result_frequency_percent_as_number"]
    assert (frequencies["actions:.x"]["status"], frequencies["actions:.y"]["status"]) == ("warn", "error")


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (timedelta(milliseconds=1500), None),
        (timedelta(milliseconds=1501), "setting HealthStatus.Error because of expired hot timestamps"),
    ],
)
def test_a_poll_that_is_too_long_ago_is_an_error(age: timedelta, reason: str | None) -> None:
    shown = document(FIGURES, now=AT + age)

    assert (shown["status"], shown.get("reason")) == ("error" if reason else "OK", reason)


@pytest.mark.parametrize(("seconds", "expired"), [(90, False), (90.001, True)])
def test_work_that_was_counted_too_long_ago_is_an_error(seconds: float, expired: bool) -> None:
    now = AT + timedelta(seconds=seconds)

    shown = document(replace(FIGURES, last_successful_poll=now), now=now)

    reason = "setting HealthStatus.Error because of expired cold timestamps"
    assert shown.get("reason") == (reason if expired else None)


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
    assert percentiles([7]) == {"p50": 7, "p90": 7, "p95": 7, "p99": 7}
    assert percentiles([]) == {"p50": 0, "p90": 0, "p95": 0, "p99": 0}


def test_frequencies_are_whole_percents() -> None:
    assert run_frequencies(runs(SUCCESS=2, RETRY_SCHEDULED=1)) == {"Success": 67, "RetryScheduled": 33, "Failed": 0}


@pytest.mark.parametrize(
    ("seconds", "cadence", "needed"),
    [(60, [2, 0, 0], 2), (30, [4, 0, 0], 4), (600, [0, 12, 0], 0.2), (7200, [0, 0, 24], 24 / 1440)],
)
def test_recurring_work_is_counted_by_its_cadence(seconds: int, cadence: list[int], needed: float) -> None:
    found = Cadence.of(timedelta(seconds=seconds), 2)

    assert [found.per_minute, found.per_hour, found.per_day] == cadence
    assert found.needed_per_minute == pytest.approx(needed)


@pytest.mark.parametrize(
    ("recurring", "required", "status"),
    [(2, 2399, "OK"), (2, 2400, "warn"), (2399, 9000, "warn"), (2400, 9000, "error")],
)
def test_capacity_is_judged_by_what_each_executor_can_do(recurring: float, required: float, status: str) -> None:
    capacity = Capacity(executors=2, per_executor=1200, recurring=recurring, required=required, overdue=0)

    assert capacity.judge().status == status


def test_executors_are_advised_by_need() -> None:
    capacity = Capacity(executors=1, per_executor=1200, recurring=1201, required=3601, overdue=0)

    assert (capacity.least_executors, capacity.advised_executors, capacity.throughput) == (2, 4, 1200)


def test_several_executors_are_counted_together() -> None:
    work = replace(WORK, idle={".x": 2}, running={".x": 1, ".y": 1}, unread=5, postponed=3, due_within=(1, 0, 2))
    figures = replace(FIGURES, work=work, runs_per_minute=30)

    stats = document(figures, figures, workers=20)["stats"]

    workload = stats["workload"]["value"]
    assert (workload["count"], workload["non_recurring"], workload["overdue"]) == (26, 24, 14)
    assert workload["task_types"]["actions:.x"] == {
        "count": 6, "status": {"idle": 4, "claiming": 0, "running": 2, "failed": 0}
    }  # fmt: skip
    assert workload["estimated_schedule_density"] == [2, 0, 4]
    observed = stats["capacity_estimation"]["value"]["observed"]
    assert observed["max_throughput_per_minute_per_kibana"] == 2400
    assert observed["avg_required_throughput_per_minute"] == 62
    assert observed["minutes_to_drain_overdue"] == pytest.approx(14 / 4800)


def record(executor_id: str, at: datetime, *, polled: bool = True) -> Record:
    # As JSON, as it comes from the log.
    figures = {
        **asdict(FIGURES),
        "last_successful_poll": at.isoformat() if polled else None,
        "work": {**asdict(WORK), "at": at.isoformat()},
    }
    report = ExecutorReport(executor_id=executor_id, at=at, figures=figures)
    return Record("executor-reports", 0, 0, 0, None, Messages().encode(report), ())


def test_an_executor_that_is_silent_while_others_report_is_not_counted() -> None:
    reports = ExecutorReports(InMemoryLog(1), Messages(), ManualClock(AT))
    reports.take(record("gone", AT))
    reports.take(record("alive", AT + ALIVE_FOR))
    assert len(reports.latest()) == 2

    reports.take(record("alive", AT + ALIVE_FOR + timedelta(seconds=1)))

    assert len(reports.latest()) == 1


def test_what_cannot_be_read_is_passed_over() -> None:
    reports = ExecutorReports(InMemoryLog(1), Messages(), ManualClock(AT))

    reports.take(Record("executor-reports", 0, 0, 0, None, b"x", ()))

    assert reports.latest() == ()


def test_a_change_for_the_worse_is_told_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(AT)
    reports = ExecutorReports(InMemoryLog(1), Messages(), clock)
    health = TaskHealth(reports, SETTINGS, 10, clock, "g1")
    with caplog.at_level(logging.INFO):
        reports.take(record("e1", AT, polled=False))
        health.look()
    reports.take(record("e1", AT))
    with caplog.at_level(logging.INFO):
        health.look()
        clock.advance(timedelta(seconds=2))
        health.look()
        health.look()
        reports.take(record("e1", clock()))
        health.look()

    reason = "setting HealthStatus.Error because of expired hot timestamps"
    unhealthy = f"Task Manager is unhealthy - Reason: {reason}"
    assert [each.message for each in caplog.records] == [ADVICE, unhealthy, "Task Manager is healthy"]


def test_the_whole_document_is_logged_for_those_who_ask(caplog: pytest.LogCaptureFixture) -> None:
    settings = SETTINGS.model_copy(update={"verbose_log": True})
    reports = ExecutorReports(InMemoryLog(1), Messages(), ManualClock(AT))
    reports.take(record("e1", AT))

    with caplog.at_level(logging.WARNING):
        TaskHealth(reports, settings, 10, ManualClock(AT + timedelta(hours=1)), "g1").look()

    assert '"capacity_estimation"' in caplog.text
