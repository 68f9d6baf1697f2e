"""The lambdas of templates: what each makes of its block, and what it says of one that it cannot use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.connector_types.lambdas import LAMBDAS
from connectory.connector_types.templating import Render
from connectory.domain.json_types import JsonObject
from tests.unit.connectors import AT

VARIABLES: JsonObject = {
    "context": {"value": 7, "rows": [1, 2, 3.5], "name": "Ada"},
    "at": "2022-11-20T14:30:45.678Z",
    "text": "a b/&é",
}


def block(name: str, text: str) -> str:
    return Render(VARIABLES, "c-1", AT)(f"<{{{{#{name}}}}} {text} {{{{/{name}}}}}>")[1:-1]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("context.value * 2 + 1", "15"),
        ("(context.value - 1) / 4", "1.5"),
        ("{{context.value}} + 1", "8"),
        ("round(mean(context.rows), 2)", "2.17"),
        ("round(2.5) + round(-2.5)", "1"),
        ("max(context.rows) + min(4, 2) + sum(context.rows, 1)", "13"),
        ("pow(2, 10) + mod(7, 4) + 7 % 4", "1030"),
        ("clamp(12, 0, 10) + abs(-1) + floor(1.9) + count(context.rows)", "15"),
        ("pi * 0 + sqrt(16)", "4"),
    ],
)
def test_arithmetic_is_done_over_the_variables(expression: str, result: str) -> None:
    assert block("EvalMath", expression) == result


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1 +",
        "1 / 0",
        "absent + 1",
        "context.name + 1",
        "context.__class__",
        "context.value.real",
        "open(1)",
        "[x for x in context.rows]",
        "'a' * 9999999",
        "pow(9, 99999)",
        "lambda: 1",
        "1" * 5000,
        "(" * 500 + "1" + ")" * 500,
    ],
)
def test_an_expression_that_is_none_says_so(expression: str) -> None:
    assert block("EvalMath", expression).startswith(f'error evaluating tinymath expression "{expression}": ')


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{{at}}", "2022-11-20 02:30pm"),
        ("{{at}};;", "2022-11-20 02:30pm"),
        ("{{at}}; America/New_York", "2022-11-20 09:30am"),
        ("{{at}};Europe/Berlin;dddd, MMM Do YYYY HH:mm:ss.SSS", "Sunday, Nov 20th 2022 15:30:45.678"),
        ("{{at}};Europe/Berlin;[at] HH:mm Z ZZ z", "at 15:30 +01:00 +0100 CET"),
        ("2022-11-20", "2022-11-20 12:00am"),
        ("{{absent}}", "date is empty"),
        ("soon", 'invalid date "soon"'),
        ("{{at}}; Mars/Base", 'unknown timeZone value "Mars/Base"'),
        ("{{at}}; ../../etc/passwd", 'unknown timeZone value "../../etc/passwd"'),
    ],
)
def test_dates_are_formatted(text: str, result: str) -> None:
    assert block("FormatDate", text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1234.5678", "1,234.568"),
        ("1234.5; de-DE", "1.234,5"),
        ("1234.5; de-DE; style: currency, currency: EUR", "1.234,50\xa0€"),
        ("1234; ja-JP; style: currency, currency: JPY", "￥1,234"),
        ("0.256; en-US; style: percent, maximumFractionDigits: 1", "25.6%"),
        ("12345; en-US; useGrouping: false, minimumFractionDigits: 2", "12345.00"),
        ("7; ; minimumIntegerDigits: 3", "007"),
        ("1e30", "1" + ",000" * 10),
        ("-1e308; en; style: percent, useGrouping: false, minimumFractionDigits: 20", f"-1{'0' * 310}.{'0' * 20}%"),
        ("1234567890; en-US; maximumFractionDigits: 20", "1,234,567,890"),
        ("x", "invalid number: 'x'"),
        ("1; zz-QQ", "error formatting number: unknown locale 'zz_QQ'"),
        ("1; en; style: currency", "error formatting number: a currency is needed, as a code of three letters"),
        ("1; en; maximumFractionDigits: 99", "error formatting number: maximumFractionDigits value is out of range."),
    ],
)
def test_numbers_are_formatted(text: str, result: str) -> None:
    assert block("FormatNumber", text) == result


def test_lenient_json_becomes_json() -> None:
    assert block("ParseHjson", "{\n # a comment\n a: {{context.name}} is here\n n: [1, 2]\n}") == (
        '{"a":"Ada is here","n":[1,2]}'
    )
    assert block("ParseHjson", "[").startswith('error parsing Hjson "[": ')


def test_texts_are_encoded_for_uris() -> None:
    assert block("EncodeURI", "{{text}}?x=[1]") == "a%20b/&%C3%A9?x=%5B1%5D"
    assert block("EncodeURIComponent", "{{text}}?") == "a%20b%2F%26%C3%A9%3F"


@given(name=st.sampled_from(sorted(LAMBDAS)), text=st.text(max_size=40))
def test_no_lambda_raises_whatever_its_text(name: str, text: str) -> None:
    assert isinstance(LAMBDAS[name](text, VARIABLES), str)
