"""Spaces on Kafka and Postgres: a deletion takes everything with it, whichever gateway it is driven by."""

import asyncio
from functools import partial

from connectory.infra.log import partition_for
from tests.http_gateway import CONNECTOR
from tests.integration.test_gateway_on_real_servers import REQUESTS, System, system
from tests.waiting import until_answer

__all__ = ["system"]

SPACE = "/api/spaces/space"
SALES = {"id": "sales", "name": "Sales"}
LETTERS = "/s/sales/api/connectory/dead_letters"
HELD = 60


async def test_a_space_through_one_gateway_is_read_through_the_other(system: System) -> None:
    for number in range(5):
        created = await system.one.call("POST", SPACE, SALES)
        found = await system.other.get(f"{SPACE}/sales")
        updated = await system.other.call("PUT", f"{SPACE}/sales", {**SALES, "name": f"Sales {number}"})
        listed = await system.one.get(SPACE)
        deleted = await system.one.call("DELETE", f"{SPACE}/sales")
        statuses = [answer.status for answer in (created, found, updated, deleted)]
        assert (statuses, listed.body[1]) == ([200, 200, 200, 204], updated.body)
        assert (await system.other.get(f"{SPACE}/sales")).status == 404


async def test_a_deleted_space_takes_what_is_in_it_and_leaves_the_rest(system: System) -> None:
    await system.one.call("POST", SPACE, SALES)
    await asyncio.gather(*(system.one.create(f"c{number}", space="/s/sales") for number in range(HELD)))
    await system.one.create("other")
    await system.one.call("POST", f"/s/sales{REQUESTS}", {"connector_id": "none", "params": {}})
    await until_answer(lambda: system.other.get(LETTERS), lambda answer: bool(answer.body["items"]), 30.0, 0.05)

    elsewhere = await system.other.get(f"{CONNECTOR}/c1")
    deleted = await system.one.call("DELETE", f"{SPACE}/sales")

    assert (elsewhere.status, deleted.status) == (404, 204)
    assert (await system.other.get("/s/sales/api/actions/connectors")).body == []
    assert (await system.other.get(f"/s/sales{CONNECTOR}/c1")).status == 404
    assert (await system.other.get(LETTERS)).body["items"] == []
    assert (await system.other.get(f"{CONNECTOR}/other")).status == 200
    assert (await system.other.call("POST", SPACE, SALES)).status == 200


async def test_a_deletion_goes_on_when_the_gateway_that_drives_it_is_gone(system: System) -> None:
    """The events of the spaces are on different partitions, so that the first gateway drives one of the deletions."""
    spaces = ("sales", "people")
    assert {partition_for(space_id.encode(), 2) for space_id in spaces} == {0, 1}
    for space_id in spaces:
        await system.other.call("POST", SPACE, {"id": space_id, "name": space_id})
        created = (system.other.create(f"{space_id}-{number}", space=f"/s/{space_id}") for number in range(HELD))
        await asyncio.gather(*created)

    deletions = [asyncio.create_task(system.other.call("DELETE", f"{SPACE}/{space_id}")) for space_id in spaces]
    await until_answer(lambda: system.other.get(SPACE), lambda answer: len(answer.body) == 1, 30.0, 0.01)
    system.first.cancel()

    assert [(await deletion).status for deletion in deletions] == [204, 204]
    for space_id in spaces:
        body = {"id": space_id, "name": "again"}
        again = partial(system.other.call, "POST", SPACE, body)
        assert (await until_answer(again, lambda answer: answer.status != 409, 60.0, 0.1)).status == 200
        assert (await system.other.get(f"/s/{space_id}/api/actions/connectors")).body == []
