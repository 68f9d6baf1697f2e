"""What each benchmark must reach. A figure without a bar is there to be read."""

import operator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Figures: TypeAlias = dict[str, float]

_HOLDS: Final = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True, slots=True)
class Bar:
    """The figure must be at least, or at most, the limit."""

    figure: str
    sign: Literal["≥", "≤"]
    limit: float

    def is_met(self, figures: Figures) -> bool:
        return self.figure in figures and bool(_HOLDS[self.sign](figures[self.figure], self.limit))

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:,g}"


BARS: Final[dict[str, tuple[Bar, ...]]] = {
    "executor": (Bar("ratio", "≥", 0.60),),
    "latency": (
        Bar("create_p50_ms", "≤", 30),
        Bar("publish_to_sink_p50_ms", "≤", 8),
        Bar("publish_to_sink_p99_ms", "≤", 30),
    ),
    "event_log": (
        Bar("ratio", "≥", 0.40),
        Bar("page_of_1m_p99_ms", "≤", 50),
        Bar("page_of_10m_p99_ms", "≤", 50),
    ),
    "queries": (Bar("get_one_ratio", "≥", 0.40),),
    "restore": (
        Bar("aggregate_1m_s", "≤", 60),
        Bar("aggregate_1m_gb", "≤", 1.5),
        Bar("executor_1m_s", "≤", 60),
        Bar("executor_1m_gb", "≤", 1.5),
    ),
    "rebuild": (Bar("event_log_per_s", "≥", 20_000), Bar("connectors_by_space_per_s", "≥", 20_000)),
    "isolation": (Bar("ratio", "≥", 0.90),),
}
