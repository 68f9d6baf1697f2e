"""Replay on the log in memory: which requests are submitted again, under which ids, and what would be sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectory.composition import open_rehearsal
from connectory.domain.errors import Refused
from connectory.domain.execution import ActionRequest
from connectory.infra.log import MAX_RECORD_BYTES, Message, record_size
from connectory.infra.pace import Pace
from connectory.infra.settings import EncryptionSettings, Settings
from connectory.infra.topics import ACTION_REQUESTS
from connectory.replay import Recording, Rehearsed, ReplayRun, Span, Submission, published_by
from connectory.testing import ManualClock
from tests.unit.connectors import AT
from tests.unit.installation import KEY, Installation

RUN = ReplayRun("20260101T000000Z-0a1b2c3d", AT)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
async def installation(clock: ManualClock) -> Installation:
    return await Installation(clock=clock).create_topics()


def span(start: datetime = AT, end: datetime = AT + 60 * MINUTE, connector_id: str | None = None) -> Span:
    return Span(from_=start, to=end, connector_id=connector_id)


async def recorded(installation: Installation, wanted: Span) -> tuple[list[str], dict[str, int]]:
    recording = Recording(installation.log, installation.messages, wanted)
    ids = [each.request.request_id async for batch in recording.batches() for each in batch]
    return sorted(ids), {str(reason): count for reason, count in recording.left_out.items()}


async def replay(
    installation: Installation, run: ReplayRun = RUN, published: Sequence[str] = (), **of: Any
) -> tuple[int, dict[str, int]]:
    recording = Recording(installation.log, installation.messages, span(**of))
    sent = 0
    async with installation.log.writer() as writer:
        submission = Submission(
            run=run,
            writer=writer,
            messages=installation.messages,
            clock=installation.clock,
            pace=Pace(None),
            published=published,
        )
        async for batch in recording.batches():
            sent += sum([len(requests) async for requests in submission.submit(batch)])
    return sent, {str(reason): count for reason, count in submission.left_out.items()}


def repeated(installation: Installation) -> list[ActionRequest]:
    found = installation.read(ACTION_REQUESTS, ActionRequest)
    return [request for request in found if request.redrive_of is not None]


async def test_requests_of_the_span_are_found_and_no_others(installation: Installation, clock: ManualClock) -> None:
    for number in range(5):
        await installation.submit(f"r{number}")
        clock.advance(MINUTE)

    found, _ = await recorded(installation, span(AT + MINUTE, AT + 4 * MINUTE))

    assert found == ["r1", "r2", "r3"]


async def test_a_span_may_be_of_one_connector(installation: Installation) -> None:
    await installation.submit("r1", "r2", connector_id="c1")
    await installation.submit("r3", connector_id="c2")

    assert (await recorded(installation, span(connector_id="c2")))[0] == ["r3"]


async def test_what_is_not_to_be_submitted_again_is_left_out_and_counted(installation: Installation) -> None:
    await installation.submit("r1", "r2", "r1")
    await installation.submit("direct", reply_partition=0)
    await installation.submit("again", redrive_of="r0")
    await installation.write(Message(ACTION_REQUESTS, b"c1", b"junk"))

    found, left_out = await recorded(installation, span())

    assert found == ["r1", "r2"]
    assert left_out == {"duplicate": 1, "direct": 1, "repeat": 1, "undecodable": 1}


async def test_a_request_that_was_moved_to_its_home_partition_is_sent_once(installation: Installation) -> None:
    message = installation.request_message("r1")
    await installation.write(*(message._replace(partition=partition) for partition in (0, 1)))

    assert await replay(installation) == (1, {})


async def test_replayed_requests_are_new_ones_that_name_the_old(installation: Installation) -> None:
    await installation.submit("r1", ordering_key="k", connector_version=3, expires_at=AT, source="nightly")

    await replay(installation)

    [again] = repeated(installation)
    assert (again.redrive_of, again.ordering_key, again.source) == ("r1", "k", "nightly")
    assert (again.connector_version, again.expires_at, again.params) == (None, None, {"body": "r1"})


async def test_a_request_without_room_for_the_name_of_the_old_is_left_out_and_counted(
    installation: Installation,
) -> None:
    room = MAX_RECORD_BYTES - record_size(installation.request_message("whole", "c1", params={"body": ""}))
    await installation.submit("whole", params={"body": "x" * (room - 8)})
    await installation.submit("small")

    assert await replay(installation) == (1, {"too_large": 1})
    assert [request.redrive_of for request in repeated(installation)] == ["small"]


async def test_the_order_of_a_connector_is_kept(installation: Installation) -> None:
    ids = [f"r{number}" for number in range(30)]
    await installation.submit(*ids)

    await replay(installation)

    assert [request.redrive_of for request in repeated(installation)] == ids


async def test_a_run_that_was_cut_off_goes_on_where_it_was(installation: Installation, clock: ManualClock) -> None:
    await installation.submit("r1", "r2")
    await replay(installation)
    await installation.submit("r3")
    clock.advance(2 * MINUTE)

    published = await published_by(RUN, installation.log, installation.messages)
    sent = await replay(installation, published=[*published])

    assert sent == (1, {})
    assert [request.redrive_of for request in repeated(installation)] == ["r1", "r2", "r3"]


def test_each_run_gives_ids_of_its_own_and_always_the_same() -> None:
    request = ActionRequest(request_id="r", space_id="default", connector_id="c", params={}, requested_at=AT)
    begun = ReplayRun.begin(AT + timedelta(microseconds=7))

    assert ReplayRun.resume(begun.id) == begun
    assert ReplayRun.resume(begun.id).request_id(request) == begun.request_id(request)
    assert len({run.request_id(request) for run in (begun, RUN, ReplayRun.begin(AT))}) == 3
    assert begun.request_id(replace(request, connector_id="d")) != begun.request_id(request)


@pytest.mark.parametrize("text", ["", "x", "20260101T000000Z", "20261301T000000Z-0a1b2c3d"])
def test_what_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="is no replay run"):
        ReplayRun.resume(text)


async def rehearsed(installation: Installation, **changes: Any) -> Rehearsed:
    settings = Settings().model_copy(update={"encryption": EncryptionSettings.model_validate({"key": KEY})})
    rehearsal = await open_rehearsal(settings, installation.log, installation.messages)
    fields: dict[str, Any] = {"connector_id": "c1", "params": {"body": "the password is hunter22"}, **changes}
    request = ActionRequest(request_id="r1", space_id="default", requested_at=AT, **fields)
    return await rehearsal.rehearse(request, "new-id")


async def test_a_rehearsal_shows_the_call_and_no_secret(installation: Installation) -> None:
    await installation.connector("c1", secrets={"user": "ada", "password": "hunter22"}, version=4)

    shown = await rehearsed(installation)

    [call] = shown.calls
    assert (call.method, call.url, call.body) == ("POST", "http://target/c1", "the password is [redacted]")
    assert call.headers["Authorization"] == "[redacted]"
    assert call.headers["Idempotency-Key"] == "new-id"
    assert (shown.connector_version, shown.refusal) == (4, None)
    assert "hunter22" not in repr(shown)


async def test_a_rehearsal_shows_the_call_for_a_token_as_well(installation: Installation) -> None:
    config = {
        "url": "http://target/",
        "authType": "webhook-oauth2-client-credentials",
        "accessTokenUrl": "http://id/token",
        "clientId": "me",
    }
    await installation.connector(secrets={"clientSecret": "sentinel"}, config=config)

    shown = await rehearsed(installation)

    assert [call.url for call in shown.calls] == ["http://id/token", "http://target/"]
    assert "sentinel" not in repr(shown)


async def test_a_rehearsal_of_what_writes_to_the_log_shows_the_line(installation: Installation) -> None:
    await installation.connector("c1", connector_type_id=".server-log", config={})

    shown = await rehearsed(installation, params={"message": "hello"})

    assert (shown.calls, shown.lines) == ((), ("info: Server log: hello",))


@pytest.mark.parametrize(
    ("changes", "connector", "refusal"),
    [
        ({"connector_id": "gone"}, {}, "Saved object [action/gone] not found"),
        ({}, {"space_id": "red"}, "Saved object [action/c1] not found"),
        ({"params": {"text": 1}}, {}, "error validating action params"),
        ({}, {"enabled": False}, "the connector c1 is disabled"),
        ({}, {"config": {}}, "error validating connector type config"),
    ],
)
async def test_a_rehearsal_says_what_stands_in_the_way(
    installation: Installation, changes: dict[str, Any], connector: dict[str, Any], refusal: str
) -> None:
    await installation.connector("c1", **connector)

    shown = await rehearsed(installation, **changes)

    assert shown.calls == ()
    assert (shown.refusal or "").startswith(refusal)
