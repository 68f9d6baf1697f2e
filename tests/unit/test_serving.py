"""How a member ends when the work on one of its partitions does."""

import asyncio

import pytest

from connectory.domain.errors import ConnectoryError
from connectory.infra.log import Share
from connectory.infra.serving import Serving
from tests.unit.installation import Installation


async def test_work_that_is_cancelled_by_nobody_is_a_failure_and_no_cancellation() -> None:
    async def serve(share: Share) -> None:
        raise asyncio.CancelledError

    installation = await Installation().create_topics()
    with pytest.raises(ConnectoryError, match="was cancelled"):
        await installation.log.join("group", ["action-requests"], serve)


async def test_a_failure_that_has_happened_is_raised() -> None:
    async def serve(share: Share) -> None:
        raise ConnectoryError("it broke")

    installation = await Installation().create_topics()
    with pytest.raises(ConnectoryError, match="it broke"):
        await installation.log.join("group", ["action-requests"], serve)


async def test_nothing_failed_where_nothing_ran() -> None:
    async def serve(share: Share) -> None:
        raise AssertionError

    serving = Serving("group", serve, grace=1.0)
    await serving.end()
    serving.raise_failure()
