"""The health document, as clients of Kibana's task manager know it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject
from connectory.gateway.task_health.health import (
    FINE,
    OWN_WORK,
    Cadence,
    Capacity,
    Merged,
    Status,
    Verdict,
    capacity_of,
    percentiles,
    poll_frequencies,
    run_frequencies,
    share,
    worst,
)
from connectory.infra.settings import TaskManagerSettings

COST = 2
"""Of one run, in the units that Kibana counts capacity in."""


@dataclass(frozen=True, slots=True)
class Health:
    """The document, and its root status in short."""

    verdict: Verdict
    document: JsonObject


def unknown_health(gateway_id: str, now: datetime) -> Health:
    """Before any executor has reported."""
    document: JsonObject = {"id": gateway_id, "timestamp": iso_millis(now), "status": Status.ERROR.value}
    return Health(Verdict(Status.ERROR, "no executor has reported"), document)


def health_of(gateway_id: str, now: datetime, merged: Merged, settings: TaskManagerSettings, workers: int) -> Health:
    """`workers` is how many runs an executor carries out at once."""
    runs = merged.judge_runs()
    capacity = capacity_of(merged, settings, workers)
    runtime, throughput = worst(runs.values()), capacity.judge()
    too_old = merged.judge_age(now)
    verdict = worst((runtime, throughput)) if too_old is FINE else too_old
    document: JsonObject = {
        "id": gateway_id,
        "timestamp": iso_millis(now),
        **_shown(verdict),
        "last_update": iso_millis(merged.at),
        "stats": {
            "configuration": _section(merged.at, FINE, _configuration(settings, workers)),
            "runtime": _section(merged.at, runtime, _runtime(merged, runs)),
            "workload": _section(merged.work_at, FINE, _workload(merged, settings)),
            "capacity_estimation": _section(merged.work_at, throughput, _capacity(capacity)),
        },
    }
    return Health(verdict, document)


def _section(at: datetime, verdict: Verdict, value: JsonObject) -> JsonObject:
    return {"timestamp": iso_millis(at), **_shown(verdict), "value": value}


def _shown(verdict: Verdict) -> JsonObject:
    return {"status": verdict.status.value, **({} if verdict.reason is None else {"reason": verdict.reason})}


def _configuration(settings: TaskManagerSettings, workers: int) -> JsonObject:
    default: JsonObject = {"error_threshold": settings.error_threshold, "warn_threshold": settings.warn_threshold}
    custom: JsonObject = {
        task_type: {"error_threshold": limits.error_threshold, "warn_threshold": limits.warn_threshold}
        for task_type, limits in settings.custom_thresholds.items()
    }
    return {
        "request_capacity": settings.request_capacity,
        "poll_interval": round(settings.poll_interval.total_seconds() * 1000),
        "max_workers": workers,
        "capacity": {"config": workers, "as_workers": workers, "as_cost": workers * COST},
        "monitored_aggregated_stats_refresh_rate": round(settings.stats_refresh_rate.total_seconds() * 1000),
        "monitored_stats_running_average_window": settings.running_average_window,
        "monitored_task_execution_thresholds": {"default": default, "custom": custom},
    }


def _runtime(merged: Merged, verdicts: Mapping[str, Verdict]) -> JsonObject:
    recurring = share(sum(merged.recurring), len(merged.recurring))
    frequencies: JsonObject = {
        task_type: {**run_frequencies(runs), "status": verdicts[task_type].status.value}
        for task_type, runs in merged.runs.items()
    }
    return {
        "polling": _polling(merged),
        "drift": percentiles(merged.drift),
        "load": percentiles(merged.load),
        "execution": {
            "duration": {
                task_type: percentiles(run.milliseconds for run in runs) for task_type, runs in merged.runs.items()
            },
            "persistence": {"recurring": recurring, "non_recurring": 100 - recurring if merged.recurring else 0},
            "result_frequency_percent_as_number": frequencies,
        },
    }


def _polling(merged: Merged) -> JsonObject:
    moments = {"last_successful_poll": merged.last_poll, "last_polling_delay": merged.last_delay}
    return {
        **{name: iso_millis(moment) for name, moment in moments.items() if moment is not None},
        "duration": percentiles(poll.milliseconds for poll in merged.polls),
        "claim_conflicts": percentiles(poll.skipped for poll in merged.polls),
        "claim_mismatches": percentiles(poll.forwarded for poll in merged.polls),
        "result_frequency_percent_as_number": poll_frequencies(merged.polls),
    }


def _workload(merged: Merged, settings: TaskManagerSettings) -> JsonObject:
    own, open_ = merged.executors, sum(work.count for work in merged.work)
    overdue = sum(work.overdue for work in merged.work)
    cadence = Cadence.of(settings.stats_refresh_rate, own)
    return {
        "count": open_ + own,
        "task_types": _task_types(merged),
        "schedule": [[f"{settings.stats_refresh_rate.total_seconds():g}s", own]],
        "non_recurring": open_,
        "owner_ids": merged.executors,
        "overdue": overdue,
        "overdue_non_recurring": overdue,
        "estimated_schedule_density": [
            sum(due) for due in zip(*(work.due_within for work in merged.work), strict=False)
        ],
        "capacity_requirements": {
            "per_minute": _number(cadence.per_minute),
            "per_hour": _number(cadence.per_hour),
            "per_day": _number(cadence.per_day),
        },
    }


def _task_types(merged: Merged) -> JsonObject:
    """As far as requests have been read: what lies on the log has no type yet."""
    idle, running = Counter[str](), Counter[str]()
    for work in merged.work:
        idle.update({f"actions:{name}": count for name, count in work.idle.items() if name})
        running.update({f"actions:{name}": count for name, count in work.running.items() if name})
    idle[OWN_WORK] += merged.executors
    return {task_type: _task_type(idle[task_type], running[task_type]) for task_type in sorted({*idle, *running})}


def _task_type(idle: int, running: int) -> JsonObject:
    status: JsonObject = {"idle": idle, "claiming": 0, "running": running, "failed": 0}
    return {"count": idle + running, "status": status}


def _capacity(capacity: Capacity) -> JsonObject:
    return {
        "observed": {
            "observed_kibana_instances": capacity.executors,
            "max_throughput_per_minute": capacity.throughput,
            "max_throughput_per_minute_per_kibana": capacity.per_executor,
            "minutes_to_drain_overdue": _number(capacity.overdue / capacity.throughput),
            **_required(capacity, capacity.executors),
            "avg_recurring_required_throughput_per_minute": _number(capacity.recurring),
            "avg_required_throughput_per_minute": _number(capacity.required),
        },
        "proposed": {
            "min_required_kibana": capacity.least_executors,
            "provisioned_kibana": capacity.advised_executors,
            **_required(capacity, capacity.advised_executors),
        },
    }


def _required(capacity: Capacity, executors: int) -> JsonObject:
    """Of each of so many executors."""
    return {
        "avg_recurring_required_throughput_per_minute_per_kibana": _number(capacity.recurring / executors),
        "avg_required_throughput_per_minute_per_kibana": _number(capacity.required / executors),
    }


def _number(value: float) -> Json:
    """Whole numbers without a point."""
    return int(value) if float(value).is_integer() else value
