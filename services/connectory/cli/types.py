"""`connectory types`: which connector types there are here, plug-ins included."""

import json
from typing import TYPE_CHECKING

import typer

from connectory.cli.options import AsJson, Config
from connectory.cli.reporting import results

if TYPE_CHECKING:
    from connectory.connector_types.contract import AnyConnectorType
    from connectory.connector_types.registry import TypeRegistry
    from connectory.domain.json_types import JsonObject


def types(as_json: AsJson = False, config: Config = None) -> None:
    """Show the connector types with their licence tiers, features and sub-actions."""
    from connectory.composition import type_registry
    from connectory.infra.settings import load_settings

    registry = type_registry(load_settings(config_file=config))
    if as_json:
        for each in registry:
            typer.echo(json.dumps(_told(each, registry)))
    else:
        _print_table(registry)


def _told(declared: "AnyConnectorType", registry: "TypeRegistry") -> "JsonObject":
    return {
        "id": declared.id,
        "name": declared.name,
        "enabled": registry.is_enabled(declared.id),
        "minimum_license_required": declared.minimum_license,
        "supported_feature_ids": declared.feature_ids,
        "sub_actions": [each.name for each in declared.sub_actions],
    }


def _print_table(registry: "TypeRegistry") -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("id", "name", "licence", "features", "sub-actions"):
        table.add_column(heading, no_wrap=heading in ("id", "licence"))
    for each in registry:
        off = "" if registry.is_enabled(each.id) else " (disabled)"
        sub_actions = ", ".join(action.name for action in each.sub_actions)
        table.add_row(each.id, each.name + off, each.minimum_license, ", ".join(each.feature_ids), sub_actions)
    results().print(table)
