"""A flood of logins: few checks at a time, a short queue, and those who are known never in it."""

import asyncio

import pytest

from connectory.domain.principal import Principal
from connectory.infra.password_checks import (
    CHECKS_AT_ONCE,
    FAILED_SECONDS,
    REMEMBERED_SECONDS,
    WAITING_AT_MOST,
    WAITING_FOR_A_NAME,
    PasswordChecks,
    TooManyLogins,
    Verdict,
)

ANN = Verdict(Principal("ann"))
WRONG = Verdict(None)


class SlowCheck:
    """Takes until it is released, and counts."""

    def __init__(self, *verdicts: Verdict | None) -> None:
        self.made = 0
        self.running = 0
        self.most_running = 0
        self.released = asyncio.Event()
        self._verdicts = list(verdicts)

    async def __call__(self) -> Verdict | None:
        self.made += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.released.wait()
        self.running -= 1
        return self._verdicts.pop(0) if self._verdicts else WRONG


def at_once(*verdicts: Verdict | None) -> SlowCheck:
    check = SlowCheck(*verdicts)
    check.released.set()
    return check


async def flooded(checks: PasswordChecks, check: SlowCheck, names: list[str]) -> list[asyncio.Task[Verdict]]:
    """Different wrong passwords, all waiting or refused by now."""
    tasks = [asyncio.create_task(checks.verdict(name, str(number), check)) for number, name in enumerate(names)]
    for _ in range(10):
        await asyncio.sleep(0)
    return tasks


async def refused(tasks: list[asyncio.Task[Verdict]], check: SlowCheck) -> int:
    """How many were, once the rest was let through."""
    check.released.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    return sum(isinstance(end, TooManyLogins) for end in ends)


async def test_the_queue_for_one_name_is_short_and_does_not_keep_others_out() -> None:
    checks, check = PasswordChecks(), SlowCheck()
    guesses = await flooded(checks, check, ["ann"] * (WAITING_FOR_A_NAME + 5))
    others = await flooded(checks, check, ["bob"])

    assert await refused(guesses, check) == 5
    assert await refused(others, check) == 0
    assert check.most_running == CHECKS_AT_ONCE


async def test_the_whole_queue_is_bounded() -> None:
    checks, check = PasswordChecks(), SlowCheck()
    guesses = await flooded(checks, check, [f"user{number}" for number in range(WAITING_AT_MOST + 3)])

    assert await refused(guesses, check) == 3
    assert await checks.verdict("later", "x", check) == WRONG


async def test_who_is_remembered_does_not_wait_in_a_flood() -> None:
    checks, check = PasswordChecks(), SlowCheck()
    await checks.verdict("ann", "right", at_once(ANN))
    guesses = await flooded(checks, check, ["ann"] * (WAITING_FOR_A_NAME + 1))

    assert await checks.verdict("ann", "right", check) == ANN
    assert await refused(guesses, check) == 1


async def test_the_same_wrong_credentials_are_checked_once_in_a_while() -> None:
    now = 0.0
    checks, check = PasswordChecks(lambda: now), at_once()
    for _ in range(5):
        assert await checks.verdict("ann", "wrong", check) == WRONG
    assert check.made == 1
    now = FAILED_SECONDS
    await checks.verdict("ann", "wrong", check)
    assert check.made == 2


async def test_the_time_to_remember_begins_anew_with_each_use() -> None:
    now = 0.0
    checks, check = PasswordChecks(lambda: now), at_once(ANN, ANN)
    for _ in range(3):
        await checks.verdict("ann", "right", check)
        now += REMEMBERED_SECONDS - 1
    assert check.made == 1


async def test_a_check_that_is_out_of_date_is_made_again() -> None:
    check = at_once(None, ANN)
    assert await PasswordChecks().verdict("ann", "right", check) == ANN
    assert check.made == 2


async def test_when_whoever_checks_gives_up_another_checks_instead() -> None:
    checks, check = PasswordChecks(), SlowCheck(ANN)
    first = asyncio.create_task(checks.verdict("ann", "right", check))
    second = asyncio.create_task(checks.verdict("ann", "right", check))
    await asyncio.sleep(0)
    first.cancel()
    check.released.set()
    assert await second == ANN
    with pytest.raises(asyncio.CancelledError):
        await first
