"""Connector types in words: one page of the reference for each, made from the declarations.

`python -m connectory.connector_types.describe DIRECTORY` writes the pages into the directory, also those of plug-ins.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from connectory.connector_types import ALL
from connectory.connector_types.contract import AnyConnectorType
from connectory.connector_types.forms import FormField, form_fields
from connectory.connector_types.plugins import all_types
from connectory.domain.json_types import JsonObject

NOTE: Final = "*Reference. Made from the declaration of the type; do not edit by hand.*"
URL: Final = "http://127.0.0.1:5601"


def file_name(declared: AnyConnectorType) -> str:
    return f"{declared.id.removeprefix('.')}.md"


def index_page(types: Sequence[AnyConnectorType]) -> str:
    """The list of types, with a link to the page of each."""
    rows = [
        f"| [`{each.id}`]({file_name(each)}) | {each.name} | {each.minimum_license} | {', '.join(each.feature_ids)} |"
        for each in types
    ]
    head = ("# Connector types", "", NOTE, "", "| id | name | licence | features |", "|---|---|---|---|")
    return "\n".join((*head, *rows)) + "\n"


def type_page(declared: AnyConnectorType) -> str:
    parts = (
        f"# `{declared.id}`: {declared.name}\n\n{NOTE}",
        *([declared.description] if declared.description else []),
        f"Needs the licence tier `{declared.minimum_license}`. Features: {', '.join(declared.feature_ids)}.",
        *_configs(declared),
        _section("Secrets", form_fields(declared.secrets), "This type has no secrets."),
        *_params(declared),
        _creating(declared),
        _running(declared),
    )
    return "\n\n".join(parts) + "\n"


def _configs(declared: AnyConnectorType) -> Iterator[str]:
    if not declared.config_variants:
        yield _section("Config", form_fields(declared.config), "This type has no config.")
    for schema in declared.config_variants:
        yield _section(f"Config: {_variant(schema)}", form_fields(schema), "")


def _variant(schema: type[BaseModel]) -> str:
    """Named by the first field, which has one value only."""
    first = form_fields(schema)[0]
    return f"`{first.name}` is `{first.options[0]}`"


def _params(declared: AnyConnectorType) -> Iterator[str]:
    if not declared.sub_actions:
        yield _section("Params", form_fields(declared.params), "This type has no params.")
        return
    yield "## Params\n\n`subAction` names what is done, `subActionParams` with what:"
    for each in declared.sub_actions:
        fields = form_fields(each.params) if each.params else ()
        told = f"{each.title}. {each.description}".strip(". ") + "." if each.title or each.description else ""
        body = _table(fields) if fields else "It takes no params."
        yield "\n\n".join(filter(None, (f"### `{each.name}`", told, body)))


def _section(title: str, fields: Sequence[FormField], without: str) -> str:
    return f"## {title}\n\n{_table(fields) if fields else without}"


def _table(fields: Sequence[FormField]) -> str:
    rows = [row for each in fields for row in _rows(each, "")]
    return "\n".join(("| field | type | default | meaning |", "|---|---|---|---|", *rows))


def _rows(field: FormField, prefix: str) -> Iterator[str]:
    name = prefix + field.name
    yield f"| `{name}` | {_type(field)} | {_default(field)} | {_meaning(field)} |"
    inner = f"{name}[]." if field.kind == "array" else f"{name}."
    for each in field.fields:
        yield from _rows(each, inner)


def _type(field: FormField) -> str:
    return " \\| ".join(f"`{option}`" for option in field.options) if field.options else field.kind


def _default(field: FormField) -> str:
    if field.required:
        return "required"
    if field.default is None or not isinstance(field.default, str | bool | int | float):
        return "null" if field.nullable else "absent"
    return f"`{json.dumps(field.default)}`" + ("" if field.saved_default else " when it runs")


def _meaning(field: FormField) -> str:
    title = "" if field.title == field.name else field.title
    text = ". ".join(filter(None, (title, field.description)))
    return f"{text} (secret)" if field.secret else text


def _creating(declared: AnyConnectorType) -> str:
    example = declared.example
    body: JsonObject = {
        "name": f"My {declared.name}",
        "connector_type_id": declared.id,
        "config": example.config,
        "secrets": example.secrets,
    }
    return f"## Create a connector\n\n{_curl('/api/actions/connector', body)}\n\n{_terraform(declared)}"


def _running(declared: AnyConnectorType) -> str:
    body: JsonObject = {"params": declared.example.params}
    return f"## Run it\n\n{_curl('/api/actions/connector/CONNECTOR_ID/_execute', body)}"


def _curl(path: str, body: JsonObject) -> str:
    data = json.dumps(body, indent=2, ensure_ascii=False).replace("'", "'\\''")
    return (
        "```sh\n"
        f"curl -u admin:PASSWORD -H 'kbn-xsrf: true' -H 'Content-Type: application/json' {URL}{path} -d '{data}'\n"
        "```"
    )


def _terraform(declared: AnyConnectorType) -> str:
    blocks = {"config": declared.example.config, "secrets": declared.example.secrets}
    given = "".join(f"  {name:<17} = jsonencode({_hcl(value, 1)})\n" for name, value in blocks.items() if value)
    return (
        "```hcl\n"
        f'resource "elasticstack_kibana_action_connector" "example" {{\n'
        f'  {"name":<17} = "My {declared.name}"\n'
        f'  {"connector_type_id":<17} = "{declared.id}"\n'
        f"{given}}}\n"
        "```"
    )


def _hcl(value: object, depth: int) -> str:
    """A value as Terraform writes it."""
    inside, outside = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        lines = "".join(f"{inside}{name} = {_hcl(each, depth + 1)}\n" for name, each in value.items())
        return f"{{\n{lines}{outside}}}"
    if isinstance(value, list):
        return f"[{', '.join(_hcl(each, depth) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


def pages(types: Sequence[AnyConnectorType] = ALL) -> dict[str, str]:
    """The text of every page by its file name."""
    return {"README.md": index_page(types), **{file_name(each): type_page(each) for each in types}}


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages(all_types()).items():
        (directory / name).write_text(text, encoding="utf-8")
