"""How outcomes are shown on a terminal."""

from datetime import UTC, datetime

import pytest

from connectory.cli.options import moment
from connectory.cli.outcomes import View
from connectory.domain.execution import Action, Outcome, RequestPosition

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def outcome(action: Action) -> Outcome:
    return Outcome(
        execution_id="e",
        request_id="r",
        space_id="default",
        connector_id="ops",
        action=action,
        at=NOON,
        started_at=NOON,
        position=RequestPosition(topic="action-requests", partition=0, offset=0),
        final=action is Action.EXECUTE,
        attempt=1,
        message="done",
        outcome="success" if action is Action.EXECUTE else None,
    )


def view(*, attempts: bool) -> View:
    return View(connector=None, request_id=None, attempts=attempts, limit=None, as_json=False)


def test_with_attempts_the_columns_still_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    shown = view(attempts=True)
    for action in Action:
        shown.show(outcome(action))

    assert len({line.index("ops") for line in capsys.readouterr().out.splitlines()}) == 1


def test_one_outcome_is_called_one() -> None:
    shown = view(attempts=False)
    shown.show(outcome(Action.EXECUTE))

    assert shown.summary == "1 outcome: 1 success"
    assert view(attempts=False).summary == "0 outcomes"


@pytest.mark.parametrize("given", ["2026-05-01T12:00", "2026-05-01T14:00+02:00"])
def test_a_time_is_utc_unless_it_says_otherwise(given: str) -> None:
    assert moment(given) == NOON
