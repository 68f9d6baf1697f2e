"""Templates in params: variables, how they print, escapes, and templates that are broken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.connector_types.escapes import Escape
from connectory.connector_types.templating import Render, render_object, render_strings
from connectory.domain.json_types import Json, JsonObject
from tests.unit.connectors import AT

VARIABLES: JsonObject = {
    "name": "Ada",
    "none": None,
    "yes": True,
    "count": 3.0,
    "ratio": 0.5,
    "rule": {"id": "r1", "tags": ["a", "b"]},
    "kibana.alert.uuid": "u1",
    "rows": [{"x": 1}, {"x": 2}],
    "mixed": [1, None, ["x", "y"], {"k": "v"}],
}


def rendered(template: str, variables: JsonObject = VARIABLES, escape: Escape = "none") -> str:
    return Render(variables, "c-1", AT)(template, escape)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hello {{name}}!", "Hello Ada!"),
        ("{{none}}{{absent}}", ""),
        ("{{yes}} {{count}} {{ratio}}", "true 3 0.5"),
        ("{{rule.id}} {{rule.absent}}", "r1 "),
        ("{{rule}}", '{"id":"r1","tags":["a","b"]}'),
        ("{{rule.tags}}", "a,b"),
        ("{{rule.tags.asJSON}}", '["a","b"]'),
        ("{{rule.tags.length}} {{rule.tags.1}} {{rule.tags.9}}", "2 b "),
        ("{{mixed}}", '1,,x,y,{"k":"v"}'),
        ("{{kibana.alert.uuid}}", "u1"),
        ("{{#rows}}{{x}};{{/rows}}{{^none}}none{{/none}}", "1;2;none"),
        ("{{=<% %>=}}<%name%> {{name}}", "Ada {{name}}"),
        ("{{! a comment }}plain", "plain"),
    ],
)
def test_variables_print_as_json_values_do_in_text(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hosts: {{#rows}}{{x}}{{/rows}}\nDone", "Hosts: 12\nDone"),
        ("Hosts: {{#none}}{{/none}}\r\nDone", "Hosts: \r\nDone"),
        ("{{name}}{{! a comment }}\n{{{name}}}{{^none}} \n{{/none}}\n.", "Ada\nAda \n."),
        ("{{#rows}}\n- {{x}}{{! a comment }}\n{{/rows}}\nDone", "- 1\n- 2\nDone"),
        ("{{#yes}}{{#rows}}\n{{x}}\n{{/rows}}{{/yes}}\nDone", "1\n2\nDone"),
    ],
)
def test_a_line_break_goes_only_with_a_line_of_nothing_but_blocks_and_comments(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize("template", ["{{&}}", "{{name}}{{! a comment }}\n"])
def test_a_variable_without_a_name_prints_as_nothing(template: str) -> None:
    assert rendered(template, {"": "found"}).strip() == ""


def test_a_nested_path_never_hides_what_stands_there() -> None:
    variables: JsonObject = {"a": {"b": 1}, "a.b": 2, "c": "text", "c.d": 3, "e.f": 4, "e.g": 5}

    assert rendered("{{a.b}} {{c}} {{c.d}} {{e.f}} {{e.g}}", variables) == "1 text  4 5"


@pytest.mark.parametrize("template", ["{{name.__class__}}", "{{name.upper}}", "{{rule.keys}}", "{{rule.__len__}}"])
def test_a_template_cannot_reach_into_python_objects(template: str) -> None:
    assert rendered(template) == ""


@pytest.mark.parametrize(
    ("escape", "value", "text"),
    [
        ("none", '<"&>', '<"&>'),
        ("json", 'a "quoted"\n\\ é', 'a \\"quoted\\"\\n\\\\ é'),
        ("html", "&<>\"'/`=", "&amp;&lt;&gt;&quot;&#39;&#x2F;&#x60;&#x3D;"),
        ("markdown", "\\|`*_{}[]()#+-.!x", "".join(f"\\{mark}" for mark in "\\|`*_{}[]()#+-.!") + "x"),
        ("slack", "a_b `c`", "`a_b 'c'`"),
        ("slack", "https://host/a_b?c=*", "https://host/a_b?c=*"),
        ("slack", "<a> & `b`", "&lt;a&gt; &amp; 'b'"),
    ],
)
def test_each_escape_protects_its_syntax(escape: Escape, value: str, text: str) -> None:
    assert rendered("{{value}}", {"value": value}, escape) == text


@pytest.mark.parametrize("template", ["{{{value}}}", "{{& value}}"])
def test_triple_braces_and_ampersand_skip_the_escape(template: str) -> None:
    assert rendered(template, {"value": '"<'}, "json") == '"<'


@pytest.mark.parametrize("template", ["{{#open}}", "{{/closed}}", "{{", "{{name", "{{=x=}}"])
def test_a_broken_template_renders_as_what_is_wrong_with_it(template: str) -> None:
    assert rendered(template).startswith(f'error rendering mustache template "{template}": ')


@pytest.mark.parametrize("template", ["{{EvalMath}}", "{{#huge}}x{{/huge}}"])
def test_a_template_that_cannot_be_rendered_renders_as_what_is_wrong_with_it(template: str) -> None:
    text = rendered(template, {"huge": int("9" * 400)})

    assert text.startswith(f'error rendering mustache template "{template}": ')


def test_every_string_at_any_depth_is_rendered_and_nothing_else() -> None:
    value: Json = {"a": "{{name}}", "b": [1, None, True, {"c": "{{rule.id}}"}], "{{name}}": 2.5}

    assert render_strings(value, Render(VARIABLES, "c-1", AT)) == {
        "a": "Ada",
        "b": [1, None, True, {"c": "r1"}],
        "{{name}}": 2.5,
    }


def test_rendering_leaves_the_params_as_they_were() -> None:
    params: JsonObject = {"message": "{{name}}"}

    render_object(params, Render(VARIABLES, "c-1", AT))

    assert params == {"message": "{{name}}"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TEMPLATES = st.lists(
    st.sampled_from(["{{", "}}", "{{{", "}}}", "#", "/", "^", "&", "=", ">", "!", " ", "a", "a.b", ".", "\n", "é"]),
    max_size=14,
).map("".join)


@given(template=TEMPLATES, variables=st.dictionaries(st.sampled_from(["a", "b", "a.b"]), JSON))
def test_rendering_never_raises(template: str, variables: JsonObject) -> None:
    for escape in ("none", "json", "html", "markdown", "slack"):
        assert isinstance(rendered(template, variables, escape), str)


@given(value=st.text())
def test_text_escaped_for_json_reads_back_as_it_was(value: str) -> None:
    body = rendered('{"text": "{{value}}"}', {"value": value}, "json")

    assert json.loads(body) == {"text": value}
