"""How far a partition's progress may be committed."""

from hypothesis import given
from hypothesis import strategies as st

from connectory.executor.progress import Progress, ledger_from
from connectory.infra.log import Committed


def test_without_requests_the_progress_is_where_reading_began_and_the_ledger_ends_now() -> None:
    assert Progress(7).committable(ledger_from_next=3) == Committed(7, "3")


def test_a_request_that_is_not_done_bounds_the_progress() -> None:
    progress = Progress(0)
    for offset in range(3):
        progress.begin(offset, ledger_from=10 + offset)
    progress.done(0)
    progress.done(2)
    assert progress.committable(ledger_from_next=99) == Committed(1, "11")


def test_when_all_are_done_the_progress_is_after_the_last() -> None:
    progress = Progress(0)
    progress.begin(4, ledger_from=1)
    progress.done(4)
    assert progress.committable(ledger_from_next=2) == Committed(5, "2")


def test_progress_that_says_nothing_of_the_ledger_means_all_of_it() -> None:
    assert [ledger_from(Committed(1, text)) for text in ("", "x", "12")] == [None, None, 12]


@given(st.permutations(range(12)), st.integers(0, 12))
def test_no_request_that_is_not_done_is_ever_before_the_progress(order: list[int], finished: int) -> None:
    progress = Progress(0)
    for offset in range(12):
        progress.begin(offset, ledger_from=0)
    for offset in order[:finished]:
        progress.done(offset)
    committed = progress.committable(0).offset
    assert committed == min(set(range(13)) - set(order[:finished]))
