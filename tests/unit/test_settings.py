"""Where settings come from, and which source wins."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no `connectory.yml` is found by chance."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(overrides: Mapping[str, object] | None = None, **sources: object) -> list[str]:
    """The lines with which the settings are refused."""
    environ = sources.pop("environ", {})
    assert isinstance(environ, dict)
    files = {name: path for name, path in sources.items() if isinstance(path, Path)}
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(overrides, environ=environ, **files)
    return refused.value.message.splitlines()


def test_without_sources_the_defaults_hold() -> None:
    settings = load_settings(environ={})
    assert settings == Settings()
    assert settings.kafka.bootstrap_servers is None
    assert settings.actions.allowed_hosts == ("*",)
    assert settings.actions.response_timeout == timedelta(seconds=60)
    assert settings.executor.window_bytes == 16 * 1024 * 1024


def test_each_source_gives_way_to_the_higher_one(folder: Path) -> None:
    kibana = write(folder, "kibana.yml", "connectory.http: { host: a.kibana, port: 1 }\nserver.name: kibana")
    write(folder, "connectory.yml", "connectory.http: { host: a.own, port: 2 }\nserver.basePath: /own")
    settings = load_settings(
        {"connectory.http.host": "a.option"},
        environ={"CONNECTORY_HTTP_HOST": "a.variable", "CONNECTORY_HTTP_PORT": "3"},
        kibana_config=kibana,
    )
    assert (settings.http.host, settings.http.port) == ("a.option", 3)
    assert (settings.server.base_path, settings.server.name) == ("/own", "kibana")


def test_a_list_of_a_higher_source_replaces_that_of_a_lower_one(folder: Path) -> None:
    file = write(folder, "own.yml", "xpack.actions.allowedHosts: [a.example, b.example]")
    settings = load_settings(environ={"XPACK_ACTIONS_ALLOWEDHOSTS": '["c.example"]'}, config_file=file)
    assert settings.actions.allowed_hosts == ("c.example",)


def test_keys_of_a_file_may_be_nested_or_dotted(folder: Path) -> None:
    text = "xpack: { actions.run: { maxAttempts: 4 } }\nxpack.actions: { queued.max: 7 }"
    settings = load_settings(environ={}, config_file=write(folder, "own.yml", text))
    assert (settings.actions.run_max_attempts, settings.actions.queued_max) == (4, 7)


def test_a_key_given_in_both_ways_is_refused(folder: Path) -> None:
    file = write(folder, "own.yml", "connectory.http.port: 1\nconnectory: { http: { port: 2 } }")
    assert refusal(config_file=file) == [f"{file}: [connectory.http.port] is given twice"]


def test_a_list_in_the_environment_is_json_or_indexed() -> None:
    indexed = {"XPACK_ACTIONS_ALLOWEDHOSTS[1]": "b.example", "XPACK_ACTIONS_ALLOWEDHOSTS[0]": "a.example"}
    as_json = {"XPACK_ACTIONS_ALLOWEDHOSTS": '["a.example", "b.example"]'}
    for environ in (indexed, as_json):
        assert load_settings(environ=environ).actions.allowed_hosts == ("a.example", "b.example")


def test_an_entry_of_a_list_may_be_an_object_in_json() -> None:
    environ = {"XPACK_ACTIONS_RUN_CONNECTORTYPEOVERRIDES[0]": '{"id": ".webhook", "maxAttempts": 2}'}
    (override,) = load_settings(environ=environ).actions.run_connector_type_overrides
    assert (override.id, override.max_attempts) == (".webhook", 2)


def test_the_well_known_variables_of_servers_are_read() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092", "DATABASE_URL": "postgresql://u:p@h/db"}
    settings = load_settings(environ=environ)
    assert settings.kafka.bootstrap_servers == "k1:9092,k2:9092"
    assert settings.database.url == "postgresql://u:p@h/db"


def test_the_full_name_of_a_variable_goes_before_the_well_known_one() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "k1:9092", "CONNECTORY_KAFKA_BOOTSTRAPSERVERS": "k2:9092"}
    assert load_settings(environ=environ).kafka.bootstrap_servers == "k2:9092"


def test_an_empty_variable_of_an_optional_text_counts_as_not_set() -> None:
    assert load_settings(environ={"KAFKA_BOOTSTRAP_SERVERS": ""}).kafka.bootstrap_servers is None


def test_a_variable_with_the_suffix_file_names_a_file_with_the_value(folder: Path) -> None:
    file = write(folder, "key", "k" * 32 + "\n")
    settings = load_settings(environ={"XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY_FILE": str(file)})
    assert settings.encryption.key == SecretStr("k" * 32)


def test_a_value_and_its_file_form_together_are_refused(folder: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://h/db", "DATABASE_URL_FILE": str(folder / "url")}
    (line,) = refusal(environ=environ)
    assert line.startswith("[connectory.database.url]: DATABASE_URL is set in more than one form")


def test_an_unreadable_value_file_is_named(folder: Path) -> None:
    (line,) = refusal(environ={"DATABASE_URL_FILE": str(folder / "none")})
    assert line == (
        f"[connectory.database.url]: {folder / 'none'}, named by DATABASE_URL_FILE, "
        "cannot be read: No such file or directory"
    )


def test_files_take_values_from_the_environment(folder: Path) -> None:
    file = write(folder, "own.yml", 'connectory.http.port: "${PORT}"\nxpack.actions.allowedHosts: ["api.${DOMAIN}"]')
    settings = load_settings(environ={"PORT": "8080", "DOMAIN": "example.com"}, config_file=file)
    assert settings.http.port == 8080
    assert settings.actions.allowed_hosts == ("api.example.com",)


def test_an_unset_variable_in_a_file_is_refused_with_its_name_and_that_of_the_setting(folder: Path) -> None:
    file = write(folder, "own.yml", 'server.name: "${NAME}"')
    assert refusal(config_file=file)[0] == "[server.name]: environment variable NAME is not set"


def test_a_kibana_file_is_found_by_the_environment(folder: Path) -> None:
    kibana = write(folder, "kibana.yml", "xpack.actions.responseTimeout: 30s")
    settings = load_settings(environ={"CONNECTORY_KIBANA_CONFIG": str(kibana)})
    assert settings.actions.response_timeout == timedelta(seconds=30)


def test_other_keys_of_a_kibana_file_are_passed_over_in_silence(folder: Path) -> None:
    kibana = write(folder, "kibana.yml", 'elasticsearch.hosts: ["${NOT_SET}"]\nserver.port: 5602\nxpack.fleet: {}')
    assert load_settings(environ={}, kibana_config=kibana) == Settings()


def test_keys_without_effect_are_named_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kibana = write(folder, "kibana.yml", "xpack.actions: { usage.enabled: true, inboundEvents.enabled: true }")
    with caplog.at_level(logging.INFO):
        load_settings(environ={}, kibana_config=kibana)
    assert caplog.messages == [
        "The setting xpack.actions.usage.enabled has no effect in Connectory.",
        "The setting xpack.actions.inboundEvents.enabled is true, but inbound events are not offered.",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("usage.enabled", "usage.url", "usage.ca.path"),
        *("auth.ears.url", "auth.ears.enabled", "auth.ears.enableExperimental"),
        *(f"auth.ears.ssl.{each}" for each in ("verificationMode", "certificate", "key")),
        *("relay.url", "relay.uiam.enabled"),
        *(f"relay.ssl.{each}" for each in ("verificationMode", "certificateAuthorities", "certificate", "key")),
        *("inboundEvents.enabled", "inboundEvents.webhook.path"),
    ],
)
def test_a_key_of_what_is_not_here_is_taken_without_effect(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert load_settings({f"xpack.actions.{name}": "x"}, environ={}) == Settings()
    assert caplog.messages == [f"The setting xpack.actions.{name} has no effect in Connectory."]


def test_a_misspelt_one_of_these_is_refused() -> None:
    assert refusal({"xpack.actions.relay.uri": "x"})[0].startswith("[xpack.actions.relay.uri]: definition for this key")


def test_that_inbound_events_are_not_offered_is_said_of_the_variable_too(caplog: pytest.LogCaptureFixture) -> None:
    load_settings(environ={"XPACK_ACTIONS_INBOUNDEVENTS_ENABLED": "true"})
    assert caplog.messages == [
        "The setting xpack.actions.inboundEvents.enabled is true, but inbound events are not offered."
    ]


@pytest.mark.parametrize(
    ("environ", "in_flight"),
    [
        ({}, 256),
        ({"XPACK_TASK_MANAGER_MAX_WORKERS": "30"}, 30),
        ({"XPACK_TASK_MANAGER_MAX_WORKERS": "30", "XPACK_TASK_MANAGER_CAPACITY": "20"}, 20),
        ({"XPACK_TASK_MANAGER_CAPACITY": "20", "CONNECTORY_EXECUTOR_INFLIGHT": "10"}, 10),
    ],
)
def test_an_executor_carries_out_as_many_actions_as_the_capacity_says(environ: dict[str, str], in_flight: int) -> None:
    assert load_settings(environ=environ).capacity.in_flight == in_flight


@pytest.mark.parametrize(
    "text", ["", "connectory:", "connectory.http:", "xpack.actions: {}", "xpack.actions.usage: {}"]
)
def test_an_empty_section_says_nothing(folder: Path, text: str) -> None:
    assert load_settings(environ={}, config_file=write(folder, "own.yml", text)) == Settings()


def test_variables_that_kubernetes_makes_for_a_service_are_passed_over() -> None:
    environ = {
        "CONNECTORY_SERVICE_HOST": "10.0.0.1",
        "CONNECTORY_SERVICE_PORT_HTTP": "5601",
        "CONNECTORY_PORT": "tcp://10.0.0.1:5601",
        "CONNECTORY_PORT_5601_TCP_ADDR": "10.0.0.1",
    }
    assert load_settings(environ=environ) == Settings()


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        Settings().http.port = 1
