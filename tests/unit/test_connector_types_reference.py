"""The pages of the reference that are made from the types."""

from pathlib import Path

import pytest

from connectory.connector_types import ALL
from connectory.connector_types.contract import AnyConnectorType
from connectory.connector_types.describe import pages
from tests.connector_types import registry

DIRECTORY = Path(__file__).parents[2] / "docs" / "reference" / "connector-types"

every_type = pytest.mark.parametrize("connector_type", ALL, ids=lambda each: each.id)


def test_the_pages_say_what_the_types_do() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}

    assert kept == pages(), "run: python -m connectory.connector_types.describe docs/reference/connector-types"


@every_type
def test_the_example_of_a_type_is_valid(connector_type: AnyConnectorType) -> None:
    example, types = connector_type.example, registry()

    types.check(connector_type.id, example.config, example.secrets)
    prepared = types.prepare(connector_type.id, example.config, example.secrets)
    types.parse_params(prepared.type, example.params)


@every_type
def test_the_example_of_a_type_says_something(connector_type: AnyConnectorType) -> None:
    assert connector_type.example.params
