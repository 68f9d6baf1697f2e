"""What outcomes carry for the event log alone: when an attempt was due, on whose behalf it ran, what it used."""

from datetime import timedelta

from connectory.client import NewActionRequest, RelatedObject
from connectory.domain.execution import Outcome, RunContext, Succeeded, TokenUsage
from connectory.domain.repeats import repeat
from connectory.infra.messages import Messages
from connectory_schemas.codec import Codec
from connectory_schemas.registry import bundled_schemas
from tests.ended_runs import run
from tests.unit.connectors import AT
from tests.unit.timed import in_virtual_time, installed

CONTEXT = RunContext(consumer="siem", execution_id="x1", related_objects='[{"type":"alert","id":"rule-1"}]')


@in_virtual_time
async def test_attempts_say_when_they_were_due_and_carry_the_context() -> None:
    installation = await installed()
    installation.answers("r1", (503, 9))
    await installation.submit("r1", context=CONTEXT)
    async with installation.executor():
        await installation.ended("r1")

    start, end, scheduled, second, _ = installation.outcomes("r1")
    assert (start.scheduled_at, end.scheduled_at) == (AT, AT)
    assert second.scheduled_at == scheduled.retry_at
    assert {each.context for each in installation.outcomes("r1")} == {CONTEXT}


@in_virtual_time
async def test_an_attempt_from_a_retry_topic_knows_when_it_was_due() -> None:
    installation = await installed()
    installation.answers("r1", (503, 60))
    await installation.submit("r1", context=CONTEXT)
    async with installation.executor():
        await installation.ended("r1")

    *_, second, end = installation.outcomes("r1")
    assert second.scheduled_at is not None
    assert second.scheduled_at <= second.at < second.scheduled_at + timedelta(seconds=2)
    assert end.context == CONTEXT


def test_a_request_of_the_client_has_a_context_only_where_something_is_known() -> None:
    related = RelatedObject(type="alert", id="rule-1")
    known = NewActionRequest(
        connector_id="c1", params={}, consumer="siem", execution_id="x1", related_objects=(related,)
    )

    assert known.record(AT).context == CONTEXT
    assert NewActionRequest(connector_id="c1", params={}).record(AT).context is None


def test_a_repeated_request_runs_on_the_same_behalf() -> None:
    first = NewActionRequest(connector_id="c1", params={}, consumer="siem").record(AT)

    assert repeat(first, "r2", AT).context == first.context


def test_outcomes_with_a_context_are_written_straight_like_all_others() -> None:
    codec, messages = Codec(bundled_schemas()), Messages(bundled_schemas())
    usage = Succeeded(token_usage=TokenUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3))

    for outcome in run("e1", usage, context=CONTEXT, scheduled_at=AT, in_memory=True):
        straight = codec.encode_plain("connectory.ActionOutcome", outcome)
        assert straight is not None
        assert messages.decode(straight, Outcome) == outcome
