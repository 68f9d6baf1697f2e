"""What the benchmarks say about what they measured. That they measure is seen by running them."""

import pytest
from benchmarks.__main__ import BENCHMARKS
from benchmarks.bars import BARS, Bar


@pytest.mark.parametrize(
    ("bar", "value", "is_met"),
    [
        (Bar("ratio", "≥", 0.4), 0.4, True),
        (Bar("ratio", "≥", 0.4), 0.39, False),
        (Bar("p99_ms", "≤", 50), 50.0, True),
        (Bar("p99_ms", "≤", 50), 50.1, False),
    ],
)
def test_a_bar_is_met_from_its_limit_on(bar: Bar, value: float, is_met: bool) -> None:
    assert bar.is_met({bar.figure: value}) is is_met


def test_a_bar_without_its_figure_is_not_met() -> None:
    assert not Bar("ratio", "≥", 0.4).is_met({"another": 1.0})


def test_every_benchmark_has_bars_and_every_bar_a_benchmark() -> None:
    assert set(BARS) == set(BENCHMARKS)
