"""The command line by itself: help, version, wrong usage, errors as one line, and what needs no server."""

import errno
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectory import __version__
from connectory.cli import app
from connectory.cli.reporting import failure_lines, printable, say_failure
from connectory.domain.errors import Unavailable
from connectory.infra.passwords import is_password_hash, verify_password
from connectory.infra.running_system import RunningSystem

pytestmark = pytest.mark.usefixtures("process_as_before")

HEAVY = ("aiohttp", "aiokafka", "asyncpg", "cryptography", "pydantic", "fastavro", "uvloop")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """In an empty directory, without settings of ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_the_version_is_shown(cli: CliRunner) -> None:
    assert cli.invoke(app, ["--version"]).output == f"connectory {__version__}\n"


def test_help_names_every_command(cli: CliRunner) -> None:
    shown = cli.invoke(app, ["--help"]).output

    commands = (
        "up",
        "serve",
        "request",
        "outcomes",
        "connectors",
        "dead-letters",
        "replay",
        "test",
        "types",
        "doctor",
        "topics",
        "projections",
        "keys",
        "users",
    )
    assert [name for name in commands if not re.search(rf"\b{name}\b", shown)] == []


def test_the_command_line_starts_without_loading_servers_clients() -> None:
    code = f"import sys, connectory.cli; print([name for name in {HEAVY!r} if name in sys.modules])"

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output == "[]\n"


def test_a_hashed_password_can_be_checked(cli: CliRunner) -> None:
    hashed = cli.invoke(app, ["users", "hash"], input="open sesame\n").output.strip()

    assert is_password_hash(hashed)
    assert verify_password(hashed, "open sesame")


def test_no_password_is_no_password(cli: CliRunner) -> None:
    refused = cli.invoke(app, ["users", "hash"], input="\n")

    assert refused.exit_code != 0
    assert "there is no password on the standard input" in refused.output


def test_a_generated_key_can_be_used(cli: CliRunner) -> None:
    keys = [cli.invoke(app, ["keys", "generate"]).output.strip() for _ in range(2)]

    assert all(len(key) >= 32 for key in keys)
    assert keys[0] != keys[1]


def test_an_error_of_ours_is_one_line_and_an_exit_code(cli: CliRunner) -> None:
    result = cli.invoke(app, ["outcomes"])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: no running Connectory in .connectory")
    assert len(result.stderr.splitlines()) == 1


def test_an_error_shows_its_traceback_when_asked_to(cli: CliRunner) -> None:
    assert type(cli.invoke(app, ["--debug", "outcomes"]).exception).__name__ == "NotRunning"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["request"], "give either the id of a connector or --file"),
        (["request", "--file", "-", "--space", "sales"], "with --file each line says its own params, space_id"),
        (["request", "--file", "-", "--params", "{}"], "with --file each line says its own params, space_id"),
        (["request", "ops", "--params", "{"], "--params is not JSON"),
        (["request", "ops", "--params", "[1]"], "--params is not a JSON object"),
        (["nothing"], "'nothing'"),
        (["--nothing"], "--nothing"),
        (["projections", "rebuild", "nothing"], "there is no projection nothing"),
        (["serve", "everything"], "'everything'"),
        (["serve"], "Missing argument 'role'"),
        (["dead-letters", "redrive"], "name letters by their ids, or by --connector"),
        (["dead-letters", "redrive", "--space", "sales"], "or say --all (with --space: all of that one)"),
        (["dead-letters", "drop", "action-requests.0.1", "--all"], "name letters by their ids, or by --connector"),
        (["dead-letters", "list", "--from", "noon"], "noon is not a time such as 2026-01-31T12:00"),
        (["replay"], "say since when, by --from"),
        (["up", "--port", "70000"], "'--port'"),
    ],
)
def test_wrong_usage_is_explained(cli: CliRunner, arguments: list[str], problem: str) -> None:
    result = cli.invoke(app, arguments)

    assert result.exit_code == 2
    assert problem in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "--help to see how it is used" in result.stderr


def test_a_command_without_its_subcommand_shows_help(cli: CliRunner) -> None:
    assert "describe" in cli.invoke(app, ["topics"]).output


def test_a_file_of_requests_that_is_no_text_is_explained(cli: CliRunner) -> None:
    Path("requests.jsonl").write_bytes(b"\xff\xfe")

    result = cli.invoke(app, ["request", "--file", "requests.jsonl"])

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the requests are not UTF-8")


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch: pytest.MonkeyPatch, cli: CliRunner) -> None:
    def stop_reading() -> str:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("connectory.infra.crypto.generate_key", stop_reading)

    assert cli.invoke(app, ["keys", "generate"]).stderr == ""


def test_a_wrong_setting_is_one_line(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XPACK_ACTIONS_ALOWEDHOSTS", "[]")

    result = cli.invoke(app, ["topics", "create"])

    assert result.exit_code == 1
    assert "XPACK_ACTIONS_ALLOWEDHOSTS" in result.stderr


@pytest.mark.parametrize(
    ("role", "missing"),
    [
        ("gateway", {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "encryptionKey", "CONNECTORY_ADMIN_PASSWORD"}),
        ("aggregate", {"KAFKA_BOOTSTRAP_SERVERS", "encryptionKey"}),
        ("executor", {"KAFKA_BOOTSTRAP_SERVERS", "encryptionKey"}),
        ("projector", {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}),
    ],
)
def test_a_role_names_every_setting_that_it_lacks(cli: CliRunner, role: str, missing: set[str]) -> None:
    result = cli.invoke(app, ["serve", role])

    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == len(missing)
    assert [name for name in missing if name not in result.stderr] == []


def test_a_failure_of_several_tasks_is_a_line_each() -> None:
    group = ExceptionGroup("several", [Unavailable("no broker"), ExceptionGroup("inner", [Unavailable("no broker")])])

    assert failure_lines(group) == ["no broker"]


def test_the_log_below_a_failure_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say_failure(Unavailable("the broker ended. Its log ends with:\n  ERROR no meta.properties"))

    assert capsys.readouterr().err == "Error: the broker ended. Its log ends with:\n  ERROR no meta.properties\n"


def test_what_a_terminal_would_act_on_is_escaped() -> None:
    assert printable("né\x1b[31m\n\ud800") == r"né\x1b[31m\n\ud800"


def test_a_defect_names_its_type_and_how_to_see_more() -> None:
    assert failure_lines(KeyError("x")) == ["unexpected KeyError: 'x' (run with --debug for a traceback)"]


def test_the_doctor_says_which_settings_are_wrong(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_HTTP_PORT", "no-port")

    result = cli.invoke(app, ["doctor"])

    assert result.exit_code == 1
    assert "wrong  settings" in result.output
    assert "http.port" in result.output


def test_the_doctor_says_that_the_system_cannot_be_found(cli: CliRunner) -> None:
    Path(".connectory").mkdir()
    Path(".connectory/runtime.json").write_text("{")

    result = cli.invoke(app, ["doctor"])

    assert result.exit_code == 1
    assert "wrong  running system" in result.output


def test_the_doctor_checks_every_preconfigured_connector(cli: CliRunner) -> None:
    Path("connectory.yml").write_text(
        "xpack.actions.preconfigured:\n"
        "  fine: { name: Fine, actionTypeId: .server-log }\n"
        "  broken: { name: Broken, actionTypeId: .webhook, config: { url: 1 }, secrets: { password: sentinel } }\n"
        "  gone: { name: Gone, actionTypeId: .gone }\n"
    )

    result = cli.invoke(app, ["doctor"])

    assert "runs through 2 of 3 fail; broken: error validating connector type config" in result.output
    assert 'gone: Action type ".gone" is not registered.' in result.output
    assert "sentinel" not in result.output


def test_what_a_file_for_kibana_says_without_effect_is_in_the_log_of_a_start(cli: CliRunner) -> None:
    Path("kibana.yml").write_text("xpack.actions.usage.enabled: true\nxpack.actions.proxyUrl: nowhere")

    result = cli.invoke(app, ["serve", "projector", "--kibana-config", "kibana.yml"])

    assert "The setting xpack.actions.usage.enabled has no effect in Connectory." in result.stderr
    assert "The configuration xpack.actions.proxyUrl: nowhere is invalid." in result.stderr


def test_the_doctor_looks_into_the_encryption_key(cli: CliRunner) -> None:
    Path(".connectory").mkdir()
    Path(".connectory/encryption-key").write_text("short")

    result = cli.invoke(app, ["doctor"])

    assert result.exit_code == 1
    assert "holds no key of at least 32 characters" in result.output


def test_a_log_in_memory_is_nothing_wrong(cli: CliRunner) -> None:
    running = RunningSystem(url="http://127.0.0.1:1", kafka_bootstrap_servers=None, database_url=None)
    running.write(Path(".connectory"))

    assert re.search(r"ok +Kafka +not used", cli.invoke(app, ["doctor"]).output)


def test_the_types_are_listed_with_what_they_need(cli: CliRunner) -> None:
    lines = cli.invoke(app, ["types", "--json"]).output.splitlines()

    assert json.loads(lines[0]) == {
        "id": ".server-log",
        "name": "Server log",
        "enabled": True,
        "minimum_license_required": "basic",
        "supported_feature_ids": ["alerting", "uptime", "siem", "workflows"],
        "sub_actions": [],
    }
    assert "closeAlert" in cli.invoke(app, ["types"]).output


@pytest.mark.parametrize("params", ["{", "[1]"])
def test_params_that_are_no_object_are_explained(cli: CliRunner, params: str) -> None:
    result = cli.invoke(app, ["test", "c1", "--params", params])

    assert result.exit_code == 2
    assert "--params" in result.output
