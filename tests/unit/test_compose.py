"""What stands in docker-compose.yml and the Dockerfile is what the program understands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from connectory.cli import app
from connectory.composition import AFTERMATH_SECONDS
from connectory.infra.settings import Settings, load_settings
from connectory.infra.settings.declaration import known_settings
from connectory.roles import Role

pytestmark = pytest.mark.usefixtures("process_as_before")

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "connectory"}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def filled_in(value: str) -> str:
    """A required variable, as somebody sets it."""
    return re.sub(r"\$\{\w+:\?[^}]*\}", "x" * 32, value)


def test_every_role_is_a_service_of_its_name() -> None:
    assert {role.value: f"serve {role}" for role in Role} == {
        name: service["command"] for name, service in OURS.items() if service["command"].startswith("serve")
    }


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_of_the_program(name: str) -> None:
    result = CliRunner().invoke(app, [*OURS[name]["command"].split(), "--help"])

    assert result.exit_code == 0


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_is_a_setting_with_a_value_that_it_takes(name: str) -> None:
    environment = {key: filled_in(value) for key, value in OURS[name]["environment"].items()}
    known = {variable for setting in known_settings(Settings) for variable in setting.variables}

    assert set(environment) <= known
    assert load_settings(environ=environment).kafka.bootstrap_servers == "kafka:9092"


def test_the_published_port_is_the_one_that_the_gateway_listens_on() -> None:
    [published] = SERVICES["gateway"]["ports"]

    assert published == f"127.0.0.1:5601:{Settings().http.port}"
    assert f"EXPOSE {Settings().http.port}" in DOCKERFILE


def test_what_the_gateway_keeps_survives_its_container() -> None:
    [volume] = SERVICES["gateway"]["volumes"]
    name, _, path = volume.partition(":")

    assert name in COMPOSE["volumes"]
    assert f"WORKDIR {path}" in DOCKERFILE  # the data directory, which is relative, lies there


def test_an_executor_has_time_to_let_its_calls_end() -> None:
    seconds = int(SERVICES["executor"]["stop_grace_period"].removesuffix("s"))

    assert seconds > Settings().executor.grace.total_seconds() + AFTERMATH_SECONDS


def test_the_database_is_the_one_that_postgres_makes() -> None:
    made = SERVICES["postgres"]["environment"]

    url = f"postgresql://{made['POSTGRES_USER']}:{made['POSTGRES_PASSWORD']}@postgres:5432/{made['POSTGRES_DB']}"
    assert {service["environment"]["DATABASE_URL"] for service in OURS.values()} == {url}


def test_whatever_a_service_waits_for_is_a_service_that_can_be_waited_for() -> None:
    for service in SERVICES.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[name]


def test_images_have_fixed_versions_and_kafka_is_the_embedded_one() -> None:
    jars = (ROOT / "services/connectory/infra/embedded/kafka_jars.txt").read_text(encoding="utf-8")
    images = {service["image"] for service in SERVICES.values()} - {"connectory"}

    assert all(re.search(r":\d+(\.\d+)*$", image) for image in images)
    [version] = set(re.findall(r"org\.apache\.kafka:kafka_2\.13:(\S+)", jars))
    assert f"apache/kafka:{version}" in images


def test_the_image_runs_as_an_ordinary_user_and_takes_the_command_line() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, flags=re.MULTILINE) == ["connectory"]
    assert 'ENTRYPOINT ["connectory"]' in DOCKERFILE


def test_all_that_the_image_is_built_of_gets_into_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    needed = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "services", "schemas", "projections")
    assert [name for name in needed if f"!{name}" not in ignored] == []
