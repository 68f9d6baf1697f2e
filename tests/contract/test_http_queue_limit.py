"""Requests that are handed in over HTTP when many are open."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from connectory.infra.settings import load_settings
from tests.http_gateway import http_gateway
from tests.unit.installation import Installation
from tests.waiting import until

REQUESTS = "/api/connectory/action_requests"


async def test_the_last_requests_are_cut_off_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({"xpack.actions.queued.max": 2}, environ={})
    installation = await Installation().create_topics()
    counted = counting(installation, monkeypatch)
    bodies = [{"connector_id": "c1", "params": {}, "request_id": f"r{n}"} for n in range(3)]
    async with http_gateway(installation, settings=settings, roles=False) as gateway:
        await until(counted.is_set)  # before that, nothing is refused
        answer = await gateway.call("POST", REQUESTS, {"requests": bodies})
        next_one = await gateway.call("POST", REQUESTS, bodies[2])
    statuses = [(item["request_id"], item["status"]) for item in answer.body["items"]]
    assert statuses == [("r0", "accepted"), ("r1", "accepted"), ("r2", "queuedActionsLimitError")]
    assert (next_one.status, next_one.body["items"][0]["status"]) == (202, "queuedActionsLimitError")
    assert len(installation.log.records("action-requests")) == 2


def counting(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once open requests have been counted."""
    counted, backlog = asyncio.Event(), installation.log.backlog

    async def count(group: str, topics: Sequence[str]) -> Mapping[str, int]:
        found = await backlog(group, topics)
        counted.set()
        return found

    monkeypatch.setattr(installation.log, "backlog", count)
    return counted
