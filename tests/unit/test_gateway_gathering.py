"""Questions that come at the same time are asked together."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from connectory.domain.errors import Unavailable
from connectory.gateway.gathering import PATIENCE_SECONDS, Gathering
from tests.unit.timed import in_virtual_time


class Answers:
    """Answers every key but `missing` with its length, or with `error`, once `open` is set."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.open = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, keys: Collection[str]) -> Mapping[str, int]:
        self.asked.append(set(keys))
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return {key: len(key) for key in keys if key != "missing"}


async def let_wait(gathering: Gathering[str, int], *keys: str) -> list[asyncio.Task[int | None]]:
    """Questions that came in one go, and have come as far as they can."""
    tasks = [asyncio.create_task(gathering.get(key)) for key in keys]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def busy(answers: Answers) -> tuple[Gathering[str, int], list[asyncio.Task[int | None]]]:
    """A question is under way."""
    gathering = Gathering(answers)
    return gathering, await let_wait(gathering, "first")


async def test_a_question_on_its_own_is_asked_at_once() -> None:
    answers = Answers()
    answers.open.set()

    assert await Gathering(answers).get("a") == 1
    assert answers.asked == [{"a"}]


async def test_what_there_is_nothing_for_is_answered_with_none() -> None:
    answers = Answers()
    answers.open.set()

    assert await Gathering(answers).get("missing") is None


async def test_questions_that_come_in_one_go_are_asked_together() -> None:
    answers = Answers()
    answers.open.set()

    tasks = await let_wait(Gathering(answers), "a", "bb")

    assert await asyncio.gather(*tasks) == [1, 2]
    assert answers.asked == [{"a", "bb"}]


async def test_questions_that_come_meanwhile_are_asked_together() -> None:
    answers = Answers()
    gathering, first = await busy(answers)

    later = await let_wait(gathering, "aa", "bbb", "aa")
    answers.open.set()

    assert await asyncio.gather(*later) == [2, 3, 2]
    assert await asyncio.gather(*first) == [5]
    assert answers.asked == [{"first"}, {"aa", "bbb"}]


@in_virtual_time
async def test_a_question_that_takes_long_does_not_hold_up_those_that_come_meanwhile() -> None:
    answers = Answers()
    gathering, first = await busy(answers)

    later = await let_wait(gathering, "aa", "bbb")
    asked = [len(answers.asked)]
    await asyncio.sleep(2 * PATIENCE_SECONDS)
    asked.append(len(answers.asked))
    answers.open.set()

    assert await asyncio.gather(*later, *first) == [2, 3, 5]
    assert asked == [1, 2]


async def test_a_question_is_not_answered_by_what_was_asked_before_it_came() -> None:
    answers = Answers()
    gathering, first = await busy(answers)

    later = await let_wait(gathering, "first")
    answers.open.set()
    await asyncio.gather(*first, *later)

    assert len(answers.asked) == 2


@pytest.mark.parametrize("is_asked", [True, False], ids=["while it is asked", "before its turn"])
async def test_the_others_are_asked_for_when_the_one_who_asks_is_cancelled(is_asked: bool) -> None:
    answers = Answers()
    gathering, first = (Gathering(answers), []) if is_asked else await busy(answers)
    asking, other = await let_wait(gathering, "aa", "bbb")

    asking.cancel()
    answers.open.set()

    assert await other == 3
    await asyncio.gather(*first)


@pytest.mark.parametrize("error", [Unavailable("away"), KeyError("a row that cannot be read")])
async def test_everyone_hears_that_nobody_could_answer(error: Exception) -> None:
    answers = Answers()
    gathering, first = await busy(answers)
    later = await let_wait(gathering, "aa", "bbb")

    answers.error = error
    answers.open.set()

    heard = await asyncio.gather(*first, *later, return_exceptions=True)
    assert heard == [error] * 3
    assert len(answers.asked) == 2


@pytest.mark.parametrize("key", ["a", "missing"])
async def test_asking_goes_on_after_a_failure(key: str) -> None:
    answers = Answers()
    answers.error = Unavailable("away")
    answers.open.set()
    gathering = Gathering(answers)
    with pytest.raises(Unavailable):
        await gathering.get(key)

    answers.error = None

    assert await gathering.get(key) == (1 if key == "a" else None)
