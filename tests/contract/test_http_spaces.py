"""The routes for spaces: statuses, texts, order of checks, and what a client reads after its changes."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectory.domain.privileges import Right, granted
from connectory.infra.settings import Settings, SpacesSettings
from tests.http_gateway import VIEWER, XSRF, HttpGateway, Users, http_gateway, reading_replies
from tests.unit.installation import Installation

SPACE = "/api/spaces/space"
SALES: dict[str, Any] = {"id": "sales", "name": "Sales"}
FULL: dict[str, Any] = {
    "id": "full",
    "name": "Full",
    "description": "",
    "initials": "Fu",
    "color": "#aabbcc",
    "disabledFeatures": ["ml"],
    "imageUrl": "data:image/png;base64,AA",
    "solution": "oblt",
}
DEFAULT = {
    "id": "default",
    "name": "Default",
    "description": "This is your default space!",
    "color": "#00bfb3",
    "disabledFeatures": [],
    "_reserved": True,
}


@pytest.fixture
async def gateway() -> AsyncIterator[HttpGateway]:
    async with http_gateway(await Installation().create_topics()) as gateway:
        await reading_replies(gateway)
        yield gateway


@asynccontextmanager
async def limited(**limits: Any) -> AsyncIterator[HttpGateway]:
    settings = Settings(spaces=SpacesSettings().model_copy(update=limits))
    async with http_gateway(await Installation().create_topics(), settings=settings) as gateway:
        await reading_replies(gateway)
        yield gateway


async def test_the_default_space_is_there_from_the_start(gateway: HttpGateway) -> None:
    listed, found = await gateway.get(SPACE), await gateway.get(f"{SPACE}/default")

    assert (listed.status, listed.body) == (200, [DEFAULT])
    assert (found.status, found.body) == (200, DEFAULT)


@pytest.mark.parametrize(
    ("body", "shown"), [(SALES, {**SALES, "disabledFeatures": []}), (FULL, FULL), ({**FULL, "_reserved": True}, FULL)]
)
async def test_a_new_space_is_shown_with_the_fields_that_were_given(
    gateway: HttpGateway, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    created = await gateway.call("POST", SPACE, body)
    found = await gateway.get(f"{SPACE}/{body['id']}")

    assert (created.status, created.body) == (200, shown)
    assert (found.status, found.body) == (200, shown)


async def test_a_prefix_has_no_meaning(gateway: HttpGateway) -> None:
    created = await gateway.call("POST", f"/s/sales{SPACE}", SALES)

    assert created.status == 200
    assert (await gateway.get(f"{SPACE}/sales")).body == (await gateway.get(f"/s/other{SPACE}/sales")).body


async def test_spaces_are_listed_by_name_in_the_order_of_code_points(gateway: HttpGateway) -> None:
    for number, name in enumerate(["b", "Éa", "B", "a"]):
        await gateway.call("POST", SPACE, {"id": f"s{number}", "name": name})

    listed = await gateway.get(SPACE)

    assert [space["name"] for space in listed.body] == ["B", "Default", "a", "b", "Éa"]


async def test_a_name_is_trimmed(gateway: HttpGateway) -> None:
    created = await gateway.call("POST", SPACE, {**SALES, "name": " \u00a0Sales\n"})
    updated = await gateway.call("PUT", f"{SPACE}/sales", {**SALES, "name": " People "})

    assert (created.body["name"], updated.body["name"]) == ("Sales", "People")


async def test_an_update_replaces_all_and_leaves_the_id(gateway: HttpGateway) -> None:
    await gateway.call("POST", SPACE, FULL)

    updated = await gateway.call("PUT", f"{SPACE}/full", {"id": "another", "name": "New"})

    assert (updated.status, updated.body) == (200, {"id": "full", "name": "New", "disabledFeatures": []})
    assert (await gateway.get(f"{SPACE}/full")).body == updated.body
    assert (await gateway.get(f"{SPACE}/another")).status == 404


async def test_the_default_space_may_be_changed_and_stays_reserved(gateway: HttpGateway) -> None:
    updated = await gateway.call("PUT", f"{SPACE}/default", {"id": "default", "name": "Home"})

    shown = {"id": "default", "name": "Home", "disabledFeatures": [], "_reserved": True}
    assert (updated.status, updated.body) == (200, shown)
    assert (await gateway.get(SPACE)).body == [shown]


async def test_a_deleted_space_is_gone_and_its_id_is_free(gateway: HttpGateway) -> None:
    await gateway.call("POST", SPACE, SALES)

    deleted = await gateway.call("DELETE", f"{SPACE}/sales")
    again = await gateway.call("DELETE", f"{SPACE}/sales")

    assert (deleted.status, deleted.raw) == (204, b"")
    assert (again.status, again.message) == (404, "Not Found")
    assert (await gateway.get(f"{SPACE}/sales")).status == 404
    assert (await gateway.call("POST", SPACE, SALES)).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "", {**SALES, "id": "default"}, 409, "A space with the identifier default already exists."),
        ("POST", "", {**SALES, "id": "full"}, 409, "A space with the identifier full already exists."),
        ("GET", "/none", None, 404, "Not Found"),
        ("PUT", "/none", SALES, 404, "Not Found"),
        ("DELETE", "/none", None, 404, "Not Found"),
        ("DELETE", "/default", None, 400, "The default space cannot be deleted because it is reserved."),
        ("POST", "", {**SALES, "solution": ""}, 400, "Unable to create Space, solution property cannot be empty"),
        ("PUT", "/full", {**SALES, "solution": ""}, 400, "Unable to update Space, solution property cannot be empty"),
    ],
)
async def test_a_wish_that_breaks_a_rule_is_refused(
    gateway: HttpGateway, method: str, path: str, body: dict[str, Any] | None, status: int, text: str
) -> None:
    await gateway.call("POST", SPACE, FULL)

    answer = await gateway.call(method, SPACE + path, body)

    assert (answer.status, answer.message) == (status, text)


BAD_ID = "[request body.id]: must be lower case, a-z, 0-9, '_', and '-' are allowed"
NOT_A_STRING = "expected value of type [string] but got"
SOLUTIONS = "\n".join(
    f"- [request body.solution.{number}]: expected value to equal [{solution}]"
    for number, solution in enumerate(["es", "oblt", "security", "classic"])
)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": None}, f"[request body.id]: {NOT_A_STRING} [null]"),
        ({"id": "Sales"}, BAD_ID),
        ({"id": ""}, BAD_ID),
        ({"id": "a b"}, BAD_ID),
        ({"id": "a\n"}, BAD_ID),
        ({"name": 5}, f"[request body.name]: {NOT_A_STRING} [number]"),
        ({"name": ""}, "[request body.name]: value has length [0] but it must have a minimum length of [1]."),
        ({"name": " "}, "[request body.name]: value has length [0] but it must have a minimum length of [1]."),
        ({"description": None}, f"[request body.description]: {NOT_A_STRING} [null]"),
        (
            {"initials": "abc"},
            "[request body.initials]: value has length [3] but it must have a maximum length of [2].",
        ),
        ({"color": "aabbcc"}, "[request body.color]: must be a 6 digit hex color, starting with a #"),
        ({"color": ""}, "[request body.color]: must be a 6 digit hex color, starting with a #"),
        (
            {"disabledFeatures": "ml"},
            "[request body.disabledFeatures]: expected value of type [array] but got [string]",
        ),
        ({"disabledFeatures": [1]}, f"[request body.disabledFeatures.0]: {NOT_A_STRING} [number]"),
        (
            {"disabledFeatures": ["a"] * 101},
            "[request body.disabledFeatures]: array size is [101], but cannot be greater than [100]",
        ),
        ({"imageUrl": "http://x"}, "[request body.imageUrl]: must start with 'data:image'"),
        ({"_reserved": "yes"}, "[request body._reserved]: expected value of type [boolean] but got [string]"),
        ({"solution": "other"}, f"[request body.solution]: types that failed validation:\n{SOLUTIONS}"),
        ({"extra": 1}, "[request body.extra]: definition for this key is missing"),
        ({"reserved": True}, "[request body.reserved]: definition for this key is missing"),
    ],
)
async def test_a_malformed_body_is_refused_with_its_first_problem(
    gateway: HttpGateway, changes: dict[str, Any], text: str
) -> None:
    answers = [
        await gateway.call(method, SPACE + path, {**SALES, **changes})
        for method, path in (("POST", ""), ("PUT", "/default"))
    ]

    assert [answer.status for answer in answers] == [400, 400]
    assert {answer.message for answer in answers} == {text}


async def test_what_is_missing_is_named_in_the_order_of_the_fields(gateway: HttpGateway) -> None:
    nothing = await gateway.call("POST", SPACE, {})
    nameless = await gateway.call("POST", SPACE, {"id": "a", "color": 1})

    assert nothing.message == "[request body.id]: expected value of type [string] but got [undefined]"
    assert nameless.message == "[request body.name]: expected value of type [string] but got [undefined]"


@pytest.mark.parametrize("image", ["", "data:image/gif;base64,AA"])
async def test_an_image_is_empty_or_a_data_url(gateway: HttpGateway, image: str) -> None:
    created = await gateway.call("POST", SPACE, {**SALES, "imageUrl": image})

    assert (created.status, created.body["imageUrl"]) == (200, image)


TOO_MANY = "Unable to create Space, this exceeds the maximum number of spaces set by the xpack.spaces.maxSpaces setting"


async def test_there_are_no_more_spaces_than_the_setting_says() -> None:
    async with limited(max_spaces=2) as gateway:
        first = await gateway.call("POST", SPACE, SALES)
        second = await gateway.call("POST", SPACE, {**SALES, "id": "people"})
        same = await gateway.call("POST", SPACE, SALES)
        await gateway.call("DELETE", f"{SPACE}/sales")
        later = await gateway.call("POST", SPACE, {**SALES, "id": "people"})

    assert (first.status, second.status, second.message) == (200, 400, TOO_MANY)
    assert (same.status, later.status) == (409, 200)


@pytest.mark.parametrize(
    ("setting", "changes", "text"),
    [
        (
            "allow_feature_visibility",
            {"disabledFeatures": ["ml"]},
            "the disabledFeatures array must be empty when xpack.spaces.allowFeatureVisibility setting is disabled",
        ),
        (
            "allow_solution_visibility",
            {"solution": "es"},
            "the solution property can not be set when xpack.spaces.allowSolutionVisibility setting is disabled",
        ),
    ],
)
async def test_a_field_that_the_settings_switch_off_is_refused(
    setting: str, changes: dict[str, Any], text: str
) -> None:
    async with limited(**{setting: False}) as gateway:
        created = await gateway.call("POST", SPACE, {**SALES, **changes})
        updated = await gateway.call("PUT", f"{SPACE}/default", {**SALES, **changes})
        without = await gateway.call("POST", SPACE, {**SALES, "disabledFeatures": []})

    assert (created.status, created.message) == (400, f"Unable to create Space, {text}")
    assert (updated.status, updated.message) == (400, f"Unable to update Space, {text}")
    assert without.status == 200


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?purpose=dance", "unsupported space purpose: dance"),
        (
            "?purpose=any&include_authorized_purposes=true",
            "include_authorized_purposes can only be false when purpose is specified",
        ),
        (
            "?include_authorized_purposes=perhaps",
            "[request query.include_authorized_purposes]: expected value of type [boolean] but got [string]",
        ),
        ("?other=1", "[request query.other]: definition for this key is missing"),
    ],
)
async def test_a_malformed_query_is_refused(gateway: HttpGateway, query: str, text: str) -> None:
    answer = await gateway.get(SPACE + query)

    assert (answer.status, answer.message) == (400, text)


@pytest.mark.parametrize(
    "query",
    ["?purpose=any", "?purpose=copySavedObjectsIntoSpace&include_authorized_purposes=false",
     "?purpose=shareSavedObjectsIntoSpace", "?include_authorized_purposes=false"],
)  # fmt: skip
async def test_a_list_may_be_asked_for_a_purpose(gateway: HttpGateway, query: str) -> None:
    assert (await gateway.get(SPACE + query)).body == [DEFAULT]


async def test_a_list_tells_what_each_space_may_be_used_for(gateway: HttpGateway) -> None:
    listed = await gateway.get(f"{SPACE}?include_authorized_purposes=true")

    purposes = {"any": True, "copySavedObjectsIntoSpace": True, "shareSavedObjectsIntoSpace": True}
    assert listed.body == [{**DEFAULT, "authorizedPurposes": purposes}]


async def test_a_caller_is_shown_the_spaces_in_which_it_may_do_anything() -> None:
    users = Users()
    users.roles["seller"] = granted(["sales"], [Right.SEE_SPACE, Right.GET])
    seller = users.add("sue", "seller")
    async with http_gateway(await Installation().create_topics(), users=users) as gateway:
        await reading_replies(gateway)
        none_yet = await gateway.get(SPACE, auth=seller)
        await gateway.call("POST", SPACE, SALES)
        listed = await gateway.get(f"{SPACE}?include_authorized_purposes=true", auth=seller)
        to_copy = await gateway.get(f"{SPACE}?purpose=copySavedObjectsIntoSpace", auth=seller)
        one, another = [await gateway.get(f"{SPACE}/{each}", auth=seller) for each in ("sales", "default")]

    assert [(space["id"], space["authorizedPurposes"]["any"]) for space in listed.body] == [("sales", True)]
    assert not listed.body[0]["authorizedPurposes"]["copySavedObjectsIntoSpace"]
    assert (one.status, another.status, another.message) == (200, 403, "Unauthorized to get default space")
    assert {(answer.status, answer.message) for answer in (none_yet, to_copy)} == {(403, "Unauthorized to get spaces")}


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("GET", "", None, "Unauthorized to get spaces"),
        ("GET", "/sales", None, "Unauthorized to get sales space"),
        ("POST", "", SALES, "Unauthorized to create spaces"),
        ("PUT", "/none", SALES, "Unauthorized to update spaces"),
        ("DELETE", "/default", None, "Unauthorized to delete spaces"),
    ],
)
async def test_whoever_has_no_privilege_is_refused_before_any_other_rule(
    gateway: HttpGateway, method: str, path: str, body: dict[str, Any] | None, text: str
) -> None:
    answer = await gateway.call(method, SPACE + path, body, auth=VIEWER)

    assert (answer.status, answer.message) == (403, text)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_malformed_body_is_told_also_to_whoever_has_no_privilege(gateway: HttpGateway, method: str) -> None:
    path = SPACE if method == "POST" else f"{SPACE}/sales"

    assert (await gateway.call(method, path, {}, auth=VIEWER)).status == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/a"), ("POST", ""), ("PUT", "/a"), ("DELETE", "/a")]
)
async def test_a_login_is_asked_for(gateway: HttpGateway, method: str, path: str) -> None:
    assert (await gateway.call(method, SPACE + path, auth=None)).status == 401


async def test_a_change_that_is_repeated_under_its_id_happens_once(gateway: HttpGateway) -> None:
    headers = {**XSRF, "x-connectory-command-id": str(uuid.uuid4())}
    first, second = [await gateway.call("POST", SPACE, SALES, headers=headers) for _ in range(2)]
    headers = {**XSRF, "x-connectory-command-id": str(uuid.uuid4())}
    deletions = [await gateway.call("DELETE", f"{SPACE}/sales", headers=headers) for _ in range(2)]

    assert (first.status, first.body) == (second.status, second.body)
    assert [answer.status for answer in deletions] == [204, 204]
