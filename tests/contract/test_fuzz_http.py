"""A few requests to every route, made at random from the OpenAPI document; `python -m tests.fuzz` sends more."""

from tests.fuzz.fuzzing import fuzz
from tests.http_gateway import http_gateway, reading_replies
from tests.unit.installation import Installation


async def test_no_answer_is_outside_the_document_or_a_server_error() -> None:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        tally = await fuzz(gateway, examples=200, number=1)

    assert tally.wrong == {}
    assert tally.count > 100
