"""Types that keep cases in another system: pushing an incident with its comments."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectory.connector_types.schemas import Schema
from connectory.domain.execution import iso_millis
from connectory.domain.json_types import Json, JsonObject


class Comment(Schema):
    comment: str
    comment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedCase:
    """A case as it is in the other system now. `pushed_at` is its own time, in ISO 8601, or ours."""

    id: str
    title: str
    url: str
    pushed_at: str | datetime


async def push_to_service(
    *,
    external_id: str | None,
    create: Callable[[], Awaitable[PushedCase]],
    update: Callable[[str], Awaitable[PushedCase]],
    comments: Sequence[Comment] | None,
    add_comment: Callable[[str, Comment], Awaitable[str | datetime]],
    skip_empty_comments: bool = False,
) -> JsonObject:
    """Update the case when it is there already, else create it; then add the comments in their order.

    `add_comment` is given the id of the case and answers with the time of the comment.
    """
    case = await (update(external_id) if external_id else create())
    data: dict[str, Json] = {"id": case.id, "title": case.title, "url": case.url, "pushedDate": _iso(case.pushed_at)}
    if comments:
        data["comments"] = [
            {"commentId": each.comment_id, "pushedDate": _iso(await add_comment(case.id, each))}
            for each in comments
            if each.comment or not skip_empty_comments
        ]
    return data


def _iso(moment: str | datetime) -> str:
    return iso_millis(moment) if isinstance(moment, datetime) else moment
