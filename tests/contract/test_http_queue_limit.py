"""Requests that are handed in over HTTP when many are open."""

from connectory.infra.settings import load_settings
from tests.http_gateway import http_gateway
from tests.unit.installation import Installation

REQUESTS = "/api/connectory/action_requests"


async def test_the_last_requests_are_cut_off_and_say_so() -> None:
    settings = load_settings({"xpack.actions.queued.max": 2}, environ={})
    installation = await Installation().create_topics()
    bodies = [{"connector_id": "c1", "params": {}, "request_id": f"r{n}"} for n in range(3)]
    async with http_gateway(installation, settings=settings, roles=False) as gateway:
        answer = await gateway.call("POST", REQUESTS, {"requests": bodies})
        next_one = await gateway.call("POST", REQUESTS, bodies[2])
    statuses = [(item["request_id"], item["status"]) for item in answer.body["items"]]
    assert statuses == [("r0", "accepted"), ("r1", "accepted"), ("r2", "queuedActionsLimitError")]
    assert (next_one.status, next_one.body["items"][0]["status"]) == (202, "queuedActionsLimitError")
    assert len(installation.log.records("action-requests")) == 2
