"""A run from beginning to end: requests all the while, trouble in between, then everything there is to see of it."""

import random
from collections.abc import Awaitable, Callable, Iterable

from connectory.client import BEGINNING, NewActionRequest, OutcomeConsumer, open_log
from connectory.domain.execution import Delivery, Outcome
from connectory.infra.log import Log
from connectory.infra.settings import KafkaSettings
from tests.chaos.history import History
from tests.chaos.installation import Installation
from tests.chaos.load import Load
from tests.chaos.sink import Sink

DEADLINE_SECONDS = 120.0


def new_requests(
    installation: Installation, deliveries: Iterable[Delivery], chance: random.Random
) -> list[NewActionRequest]:
    """One for each delivery, through any of the connectors, in any order."""
    ids = [each.id for each in installation.created]
    requests = [
        NewActionRequest(connector_id=chance.choice(ids), params={"body": "x"}, delivery=each) for each in deliveries
    ]
    chance.shuffle(requests)
    return requests


async def live_through(
    installation: Installation, sink: Sink, load: Load, trouble: Callable[[], Awaitable[None]]
) -> History:
    """Be under load while `trouble` happens, and return what was there to see when all requests had ended.

    The clients of the log live through it all: they are those that services use.
    """
    async with open_log(KafkaSettings(), data_dir=installation.data_dir) as log:
        async with load.running(log):
            await trouble()
            await load.all_ended(DEADLINE_SECONDS)
        told = await _all_outcomes(log)
    different = len({(each.execution_id, each.action) for each in told})
    logged = await installation.event_log(different, DEADLINE_SECONDS)
    return History(published=load.published, calls=sink.calls, outcomes=told, logged=logged)


async def _all_outcomes(log: Log) -> list[Outcome]:
    async with OutcomeConsumer.over(log, start=BEGINNING, follow=False) as outcomes:
        return [outcome async for outcome in outcomes]
