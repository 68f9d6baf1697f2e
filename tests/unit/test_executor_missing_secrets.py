"""Requests through connectors that were imported, and whose secrets nobody has given yet."""

from dataclasses import replace

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.connector_types.webhook import WEBHOOK
from connectory.domain.execution import Failed
from connectory.domain.replies import RequestCompleted
from connectory.infra.egress.hosts import AllowedHosts
from tests.unit.installation import Installation

TEXT = 'Unable to execute action because no secrets are defined for the "hook" connector.'
DEMANDS_SECRETS = replace(WEBHOOK, check_connector=lambda _config, _secrets: "secrets must be defined")


@pytest.fixture
async def installation() -> Installation:
    made = await Installation().create_topics()
    made.registry = TypeRegistry([DEMANDS_SECRETS], settings=TypeSettings(hosts=AllowedHosts(["*"])))
    await made.connector(is_missing_secrets=True)
    return made


async def test_a_queued_request_ends_at_once_and_says_that_secrets_are_missing(installation: Installation) -> None:
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.reason, final.error) == ("secrets-missing", TEXT)
    assert (final.attempt, final.started_at, installation.target.calls) == (1, None, [])


async def test_so_it_does_when_its_type_would_run_without_them(installation: Installation) -> None:
    installation.registry = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))
    await installation.submit("r1")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert (final.reason, installation.target.calls) == ("secrets-missing", [])


async def test_a_direct_run_fails_as_its_type_says(installation: Installation) -> None:
    await installation.submit("r1", reply_partition=0)
    async with installation.executor():
        await installation.final_outcomes(1)
    (reply,) = installation.replies()
    assert isinstance(reply, RequestCompleted)
    assert isinstance(reply.result, Failed)
    assert reply.result.message == "error validating action type connector: secrets must be defined"
    assert (reply.result.retry, reply.result.error_source) == (False, "framework")


async def test_nobody_in_another_space_learns_that_it_is_there(installation: Installation) -> None:
    await installation.submit("r1", space_id="red")
    async with installation.executor():
        (final,) = await installation.final_outcomes(1)
    assert final.error == "Saved object [action/c1] not found"


async def test_requests_run_once_the_secrets_are_given(installation: Installation) -> None:
    installation.registry = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))
    await installation.submit("r1")
    async with installation.executor():
        await installation.final_outcomes(1)
        await installation.connector(version=2, is_missing_secrets=False)
        await installation.submit("r2")
        finals = await installation.final_outcomes(2)
    assert [final.outcome for final in finals] == ["failure", "success"]
