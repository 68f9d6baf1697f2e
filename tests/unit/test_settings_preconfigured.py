"""Connectors in settings: how they are written, and how those of several sources come together."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import PreconfiguredEntry, load_settings

MINE = PreconfiguredEntry(name="Mine", action_type_id=".webhook", config={"url": "https://a.example/x"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries(text: str, environ: Mapping[str, str] | None = None) -> dict[str, PreconfiguredEntry]:
    Path("connectory.yml").write_text(text)
    return load_settings(environ=environ or {}).preconfigured.connectors


def refusal(values: Mapping[str, object]) -> str:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({f"xpack.actions.{name}": value for name, value in values.items()}, environ={})
    return refused.value.message.removeprefix("config validation of [xpack.actions]: ")


@pytest.mark.parametrize(
    "text",
    [
        "xpack: {actions: {preconfigured: {mine: {name: Mine, actionTypeId: .webhook, config: {url: %s}}}}}",
        "xpack.actions.preconfigured: {mine: {name: Mine, actionTypeId: .webhook, config: {url: %s}}}",
        "xpack.actions.preconfigured: {mine: {name: Mine, actionTypeId: .webhook, config.url: %s}}",
        "xpack.actions.preconfigured.mine: {name: Mine, actionTypeId: .webhook, config: {url: %s}}",
        (
            "xpack.actions.preconfigured.mine.name: Mine\nxpack.actions.preconfigured: {mine.actionTypeId: .webhook}\n"
            "xpack.actions.preconfigured.mine.config.url: %s"
        ),
    ],
)
def test_keys_may_be_nested_or_dotted(text: str) -> None:
    url = "https://a.example/x"
    if "mine.actionTypeId" in text:
        text = text.replace("xpack.actions.preconfigured: {mine.", "xpack.actions: {preconfigured.mine.")
    assert entries(text % json.dumps(url)) == {"mine": MINE}


def test_an_id_may_have_dots_capitals_and_any_length() -> None:
    connector_id = "Ops.Mail." + "x" * 100
    entry = "{name: Mine, actionTypeId: .webhook, config: {url: 'https://a.example/x'}}"
    assert entries(f"xpack.actions.preconfigured: {{ {connector_id}: {entry} }}") == {connector_id: MINE}
    dotted = f"xpack.actions.preconfigured.{connector_id}"
    text = f"{dotted}.name: Mine\n{dotted}.actionTypeId: .webhook\n{dotted}.config.url: https://a.example/x"
    assert entries(text) == {connector_id: MINE}


def test_keys_within_config_keep_their_dots() -> None:
    text = "xpack.actions.preconfigured.a: {name: A, actionTypeId: .x, config: {headers: {X.Y: z}}}"
    assert entries(text)["a"].config == {"headers": {"X.Y": "z"}}


def test_a_place_that_has_two_values_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"\[xpack.actions.preconfigured.a.name\] is given twice"):
        entries("xpack.actions.preconfigured.a.name: A\nxpack.actions: {preconfigured: {a: {name: B}}}")


def test_entries_of_several_sources_come_together_and_the_higher_one_has_the_whole_entry() -> None:
    kibana = Path("kibana.yml")
    kibana.write_text(
        "xpack.actions.preconfigured:\n"
        "  a: { name: Low, actionTypeId: .webhook, secrets: { user: low } }\n"
        "  b: { name: B, actionTypeId: .index }"
    )
    variable = {"c": {"name": "C", "actionTypeId": ".slack"}}
    found = entries(
        "xpack.actions.preconfigured.a: { name: High, actionTypeId: .email }",
        {"CONNECTORY_KIBANA_CONFIG": str(kibana), "XPACK_ACTIONS_PRECONFIGURED": json.dumps(variable)},
    )
    assert [(each, entry.name, entry.secrets) for each, entry in found.items()] == [
        ("a", "High", {}),
        ("b", "B", {}),
        ("c", "C", {}),
    ]


def test_secrets_come_from_the_environment_and_are_not_shown() -> None:
    text = "xpack.actions.preconfigured.a: {name: A, actionTypeId: .x, secrets: {password: 'p-${PASSWORD}'}}"
    found = entries(text, {"PASSWORD": "sentinel"})
    assert found["a"].secrets == {"password": "p-sentinel"}
    assert "sentinel" not in repr(found)


def test_what_yaml_has_beyond_json_becomes_text_or_is_refused_without_being_shown() -> None:
    entry = "xpack.actions.preconfigured.a: {name: A, actionTypeId: .x, config: {since: %s}}"
    assert entries(entry % "2026-01-31")["a"].config == {"since": "2026-01-31"}
    for odd in ("!!binary c2VudGluZWw=", ".nan", "!!set {sentinel}"):
        with pytest.raises(SettingsInvalid, match=r"\[preconfigured.a.config\]: value must be JSON") as refused:
            entries(entry % odd)
        assert "sentinel" not in str(refused.value)


@pytest.mark.parametrize("connector_id", ["", "__proto__", "constructor"])
def test_an_impossible_id_is_refused(connector_id: str) -> None:
    entry = {"name": "A", "actionTypeId": ".x"}
    assert refusal({"preconfigured": {connector_id: entry}}) == (
        f'[preconfigured]: invalid preconfigured action id "{connector_id}"'
    )


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"actionTypeId": ".x"}, "[preconfigured.a.name]: expected value of type [string] but got [undefined]"),
        ({"name": "A"}, "[preconfigured.a.actionTypeId]: expected value of type [string] but got [undefined]"),
        (
            {"name": "", "actionTypeId": ".x"},
            "[preconfigured.a.name]: value has length [0] but it must have a minimum length of [1].",
        ),
        (
            {"name": "A", "actionTypeId": ".x", "config": 1},
            "[preconfigured.a.config]: expected value of type [object] but got [number]",
        ),
        (
            {"name": "A", "actionTypeId": ".x", "exposeconfig": True},
            "[preconfigured.a.exposeconfig]: definition for this key is missing",
        ),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(entry: Mapping[str, object], line: str) -> None:
    assert refusal({"preconfigured": {"a": entry}}) == line
