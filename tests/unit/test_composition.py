"""What the composition root makes of settings."""

from connectory.composition import log_grace
from connectory.infra.settings import Settings


def test_the_log_leaves_an_executor_time_to_commit_after_its_own_grace() -> None:
    settings = Settings()
    assert log_grace(settings) > settings.executor.grace.total_seconds()
