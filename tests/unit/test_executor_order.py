"""Requests with an ordering key, through retries, hops and restarts."""

from connectory.domain.delivery import DeliveryPolicy
from connectory.infra import topics
from tests.unit.timed import in_virtual_time, installed

KEYED = ["a0", "a1", "a2", "a3"]


@in_virtual_time
async def test_a_key_waits_for_a_retry_that_hops_while_other_keys_flow() -> None:
    installation = await installed()
    installation.answers("a0", (503, 700))
    await installation.submit(*KEYED, ordering_key="a")
    await installation.submit("b0", "b1", ordering_key="b")
    await installation.submit("free")
    async with installation.executor():
        await installation.ended("b0", "b1", "free")
        assert not installation.calls("a1")
        await installation.ended(*KEYED)
    assert [name for name in installation.called() if name in KEYED] == ["a0", *KEYED]
    assert installation.calls("a1")[0] >= 700


@in_virtual_time
async def test_the_same_key_of_another_connector_is_another_key() -> None:
    installation = await installed()
    await installation.connector("c2")
    installation.answers("a0", (503, 700))
    await installation.submit("a0", ordering_key="a")
    await installation.submit("other", connector_id="c2", ordering_key="a")
    async with installation.executor():
        await installation.ended("other")
        assert installation.finals()[0].request_id != "a0"


@in_virtual_time
async def test_a_key_keeps_its_order_though_the_executor_is_killed_again_and_again() -> None:
    installation = await installed()
    for name in KEYED:
        installation.answers(name, (503, 15), (503, 70))
    await installation.submit(*KEYED, ordering_key="a")
    for _ in range(30):
        async with installation.killed():
            await installation.settle(13)
    async with installation.executor():
        await installation.ended(*KEYED)
    called = installation.called()
    assert [name for at, name in enumerate(called) if name not in called[:at]] == KEYED
    assert called == sorted(called)


@in_virtual_time
async def test_a_request_that_came_back_first_after_a_restart_waits_for_those_before_it() -> None:
    installation = await installed(window_requests=90)
    installation.answers("a0", (503, 100))
    names = [f"a{number:02}" for number in range(80)]
    await installation.submit("a0", *names, ordering_key="a")
    await installation.submit(*(f"free{number}" for number in range(200)))
    async with installation.killed():
        await installation.until(lambda: len(installation.waiting(topics.ACTION_RETRIES_10S)) > 5)
    async with installation.executor():
        await installation.ended("a0", *names)
    called = [name for name in installation.called() if name in names]
    assert called == names


@in_virtual_time
async def test_a_rate_does_not_change_the_order_of_a_key() -> None:
    installation = await installed()
    await installation.connector(delivery_policy=DeliveryPolicy(requests_per_second=1 / 30), version=2)
    await installation.submit(*KEYED, ordering_key="a")
    async with installation.executor():
        await installation.ended(*KEYED)
    assert installation.called() == KEYED
