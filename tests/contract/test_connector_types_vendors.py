"""Every type that calls an HTTP API, over real sockets: the exact request, and every kind of trouble."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types import ALL
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.retry import is_retryable
from connectory.infra.crypto import Redactor
from tests.connector_runs import run_action
from tests.connector_types import NOW, registry
from tests.fakes.vendors import SECRET, VENDORS, Internet, Vendor, internet

WITHOUT_HTTP = {".server-log", ".index", ".email"}
SILENT = {".teams"}
"""Types that do not tell why there was no answer."""

every_vendor = pytest.mark.parametrize("type_id", VENDORS)


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[Internet]:
    async with internet() as world:
        yield world


async def run(type_id: str, world: Internet) -> Result:
    vendor = VENDORS[type_id]
    return await run_action(
        registry(),
        type_id,
        vendor.params,
        config=vendor.config,
        secrets=vendor.secrets,
        egress=world.egress,
        now=lambda: NOW,
    )


async def failure(type_id: str, world: Internet, **changes: Any) -> Failed:
    world.answers(VENDORS[type_id], **changes)
    result = await run(type_id, world)
    assert isinstance(result, Failed)
    assert result.reason != "internal", result.service_message
    return result


def text_of(type_id: str, failed: Failed) -> str:
    """What is told, as the event log has it."""
    return Redactor(dict(VENDORS[type_id].secrets)).redact(f"{failed.message} {failed.service_message}")


def test_every_type_has_its_vendor() -> None:
    assert {each.id for each in ALL} - WITHOUT_HTTP == VENDORS.keys()


@every_vendor
async def test_the_request_is_the_one_that_the_vendor_wants(type_id: str, world: Internet) -> None:
    vendor: Vendor = VENDORS[type_id]
    world.answers(vendor)

    result = await run(type_id, world)

    vendor.check(world.target.last)
    assert isinstance(result, Succeeded)
    assert vendor.data is None or result.data == vendor.data


@every_vendor
async def test_a_vendor_that_wants_to_be_asked_later_is(type_id: str, world: Internet) -> None:
    failed = await failure(type_id, world, status=429, headers={"Retry-After": "60"})

    assert is_retryable(failed)
    assert NOW + timedelta(seconds=60) in (failed.retry, failed.retry_after)


@every_vendor
@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_vendor_in_trouble_is_tried_again(type_id: str, status: int, world: Internet) -> None:
    failed = await failure(type_id, world, status=status, headers={}, body=b"\xff{not json")

    assert is_retryable(failed)
    assert failed.undelivered == (status == 503)


@every_vendor
async def test_an_answer_that_makes_no_sense_is_a_result(type_id: str, world: Internet) -> None:
    world.answers(VENDORS[type_id], headers={}, body=b"\xff{not json")

    result = await run(type_id, world)

    assert isinstance(result, Succeeded) or result.reason != "internal"


@every_vendor
async def test_a_secret_that_is_echoed_is_not_told(type_id: str, world: Internet) -> None:
    secret = json.dumps(whole_secret(type_id))
    echo = f'{{"message": {secret}, "error": {secret}, "errorMessages": [{secret}]}}'.encode()

    failed = await failure(type_id, world, status=400, reason=whole_secret(type_id), headers={}, body=echo)

    assert whole_secret(type_id) not in text_of(type_id, failed)


def whole_secret(type_id: str) -> str:
    """What the type has of a secret, of which `SECRET` may be a part."""
    texts = re.findall(rf'"([^"]*{SECRET}[^"]*)"', json.dumps(VENDORS[type_id].secrets))
    return str(texts[0])


@every_vendor
async def test_an_answer_without_end_is_cut_off(type_id: str) -> None:
    async with internet(max_response_content_length=10_000) as world:
        failed = await failure(type_id, world, headers={}, body=b" " * 20_000)

    assert type_id in SILENT or "maxContentLength size of 10000 exceeded" in text_of(type_id, failed)


@every_vendor
async def test_a_vendor_that_does_not_answer_is_given_up(type_id: str) -> None:
    async with internet(response_timeout=timedelta(milliseconds=50)) as world:
        failed = await failure(type_id, world, hangs=True)

    assert is_retryable(failed)
    assert not failed.undelivered
    assert type_id in SILENT or "timeout of 50ms exceeded" in text_of(type_id, failed)


@every_vendor
async def test_a_host_that_is_not_allowed_is_not_called(type_id: str) -> None:
    async with internet(allowed_hosts=("nowhere.test",)) as world:
        failed = await failure(type_id, world)

    assert world.target.received == []
    assert not is_retryable(failed)
    assert type_id in SILENT or "is not added to the Kibana config xpack.actions.allowedHosts" in text_of(
        type_id, failed
    )


@every_vendor
async def test_a_run_that_is_cancelled_ends_at_once(type_id: str) -> None:
    async with internet() as world:
        world.answers(VENDORS[type_id], hangs=True)
        running = asyncio.create_task(run(type_id, world))
        await world.target.arrived.wait()
        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running
