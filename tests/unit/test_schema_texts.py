"""The texts of schema problems, kind by kind."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, HttpUrl, ValidationError

from connectory.connector_types.schema_texts import detail
from connectory.connector_types.schemas import Absentable, Schema


class Header(Schema):
    name: str
    value: str | None = None


class Everything(Schema):
    text: Annotated[str, Field(min_length=2, max_length=5)] = "abc"
    number: Annotated[float, Field(ge=1, le=5)] = 1
    flag: bool = False
    listed: Annotated[list[Header], Field(min_length=1, max_length=2)] = [Header(name="a")]  # noqa: RUF012
    record: dict[str, str] | None = None
    one: Literal["x"] = "x"
    several: Literal["a", "b"] = "a"
    either: int | list[str] = 1
    url: Annotated[HttpUrl, Field(strict=False)] | None = None
    absentable: Absentable[str] = None
    camel_case: str | None = None


def problem(value: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(value)
    return detail(caught.value, Everything)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"text": 1}, "✖ Invalid input: expected string, received number\n  → at text"),
        ({"text": None}, "✖ Invalid input: expected string, received null\n  → at text"),
        ({"text": True}, "✖ Invalid input: expected string, received boolean\n  → at text"),
        ({"text": {}}, "✖ Invalid input: expected string, received object\n  → at text"),
        ({"text": []}, "✖ Invalid input: expected string, received array\n  → at text"),
        ({"number": "1"}, "✖ Invalid input: expected number, received string\n  → at number"),
        ({"number": True}, "✖ Invalid input: expected number, received boolean\n  → at number"),
        ({"flag": 1}, "✖ Invalid input: expected boolean, received number\n  → at flag"),
        ({"flag": "true"}, "✖ Invalid input: expected boolean, received string\n  → at flag"),
        ({"record": []}, "✖ Invalid input: expected record, received array\n  → at record"),
        ({"record": {"a": 1}}, "✖ Invalid input: expected string, received number\n  → at record.a"),
        ({"listed": {}}, "✖ Invalid input: expected array, received object\n  → at listed"),
        ({"listed": ["a"]}, "✖ Invalid input: expected object, received string\n  → at listed[0]"),
        ({"listed": [{}]}, "✖ Invalid input: expected string, received undefined\n  → at listed[0].name"),
        ({"absentable": None}, "✖ Invalid input: expected string, received null\n  → at absentable"),
        ({"camelCase": 1}, "✖ Invalid input: expected string, received number\n  → at camelCase"),
    ],
)
def test_a_wrong_type_is_named_with_the_one_expected(value: dict[str, object], text: str) -> None:
    assert problem(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"one": "y"}, '✖ Invalid input: expected "x"\n  → at one'),
        ({"one": 1}, '✖ Invalid input: expected "x"\n  → at one'),
        ({"several": "c"}, '✖ Invalid option: expected one of "a"|"b"\n  → at several'),
        ({"either": "x"}, "✖ Invalid input\n  → at either"),
        ({"either": [1]}, "✖ Invalid input\n  → at either"),
        ({"url": "nowhere"}, "✖ Invalid URL\n  → at url"),
    ],
)
def test_a_value_outside_of_a_choice_names_the_choice(value: dict[str, object], text: str) -> None:
    assert problem(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"text": "a"}, "✖ Too small: expected string to have >=2 characters\n  → at text"),
        ({"text": "abcdef"}, "✖ Too big: expected string to have <=5 characters\n  → at text"),
        ({"number": 0}, "✖ Too small: expected number to be >=1\n  → at number"),
        ({"number": 6}, "✖ Too big: expected number to be <=5\n  → at number"),
        ({"listed": []}, "✖ Too small: expected array to have >=1 items\n  → at listed"),
        ({"listed": [{"name": "a"}] * 3}, "✖ Too big: expected array to have <=2 items\n  → at listed"),
    ],
)
def test_a_value_beyond_a_limit_names_the_limit(value: dict[str, object], text: str) -> None:
    assert problem(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1}, '✖ Unrecognized key: "a"'),
        ({"a": 1, "b": 2}, '✖ Unrecognized keys: "a", "b"'),
        ({"camel_case": "x"}, '✖ Unrecognized key: "camel_case"'),
        ({"listed": [{"name": "a", "b": 1}]}, '✖ Unrecognized key: "b"\n  → at listed[0]'),
    ],
)
def test_unknown_keys_are_named_at_the_object_that_has_them(value: dict[str, object], text: str) -> None:
    assert problem(value) == text


def test_shorter_paths_come_first_and_equal_ones_in_the_order_of_the_schema() -> None:
    text = problem({"record": {"a": 1}, "flag": 1, "text": 1, "unknown": 1})

    assert [line for line in text.splitlines() if line.startswith("  →")] == [
        "  → at text",
        "  → at flag",
        "  → at record.a",
    ]
    assert text.splitlines()[0] == '✖ Unrecognized key: "unknown"'
