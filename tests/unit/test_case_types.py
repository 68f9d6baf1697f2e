"""What types that keep cases elsewhere have in common: pushing one, and the check of answers."""

import pytest

from connectory.connector_types.cases import Comment, PushedCase, push_to_service
from connectory.connector_types.json_answers import UnexpectedAnswer, json_answer
from connectory.domain.json_types import JsonObject
from tests.fakes.egress import responds
from tests.unit.connectors import AT

JSON = {"content-type": "application/json; charset=utf-8"}


async def push(external_id: str | None, comments: list[Comment] | None = None, *, skip: bool = False) -> JsonObject:
    async def create() -> PushedCase:
        return PushedCase(id="1", title="T-1", url="https://desk.test/T-1", pushed_at=AT)

    async def update(case_id: str) -> PushedCase:
        return PushedCase(id=case_id, title="T-9", url="https://desk.test/T-9", pushed_at="2026-02-01T00:00:00.000Z")

    async def add(case_id: str, comment: Comment) -> str:
        return f"{case_id}:{comment.comment}"

    return await push_to_service(
        external_id=external_id,
        create=create,
        update=update,
        comments=comments,
        add_comment=add,
        skip_empty_comments=skip,
    )


async def test_a_case_without_an_external_id_is_created() -> None:
    pushed = {"id": "1", "title": "T-1", "url": "https://desk.test/T-1", "pushedDate": "2026-01-01T12:00:00.000Z"}

    assert await push(None) == pushed
    assert await push(None, []) == pushed


async def test_a_case_with_an_external_id_is_updated() -> None:
    assert (await push("9"))["pushedDate"] == "2026-02-01T00:00:00.000Z"


@pytest.mark.parametrize(("skip", "added"), [(False, ["a", "b"]), (True, ["a"])])
async def test_comments_are_added_in_order(skip: bool, added: list[str]) -> None:
    comments = [Comment.model_validate({"comment": text, "commentId": each}) for text, each in (("x", "a"), ("", "b"))]

    pushed = await push(None, comments, skip=skip)

    texts = {"a": "1:x", "b": "1:"}
    assert pushed["comments"] == [{"commentId": each, "pushedDate": texts[each]} for each in added]


@pytest.mark.parametrize(
    ("status", "headers", "body", "text"),
    [
        (200, {"content-type": "text/html"}, b"<p>", "Unsupported content type: text/html in get http://d/. Suppor"),
        (200, {}, b"{}", "Unsupported content type: undefined in get http://d/. Supported content types: application"),
        (200, JSON, b"nonsense", "Response is not a valid JSON"),
        (200, JSON, b'{"id":1}', "Response is missing at least one of the expected fields: id,key"),
        (200, JSON, b"[]", "Response is missing at least one of the expected fields: id,key"),
        (200, JSON, b"", "Response is missing at least one of the expected fields: id,key"),
    ],
)
def test_an_answer_that_is_not_as_promised_is_named(
    status: int, headers: dict[str, str], body: bytes, text: str
) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        json_answer(responds(status, body=body, headers=headers), "GET", "http://d/", ("id", "key"))

    assert caught.value.message.startswith(text)


def test_a_null_counts_as_there_and_no_content_always_passes() -> None:
    assert json_answer(responds(200, body=b'{"id":1,"key":null}', headers=JSON), "GET", "http://d/", ("id", "key"))
    assert json_answer(responds(204), "GET", "http://d/", ("id",)) is None
