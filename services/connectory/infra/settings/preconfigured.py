"""Connectors that operators write into their settings."""

import json
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from connectory.infra.settings.declaration import SettingsGroup, required, setting
from connectory.infra.settings.value_types import Entry, MapOf, Text, parse_object

IMPOSSIBLE_IDS: Final = ("", "__proto__", "constructor")


def _as_json(value: object) -> object:
    """YAML has more than JSON: moments become texts as they are written; the text of a refusal shows no value."""
    try:
        return json.loads(json.dumps(value, default=_moment, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("value must be JSON: texts, numbers, booleans, null, lists and maps") from None


def _moment(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError
    return value.isoformat()


JsonMap = Annotated[dict[str, Any], BeforeValidator(_as_json), BeforeValidator(parse_object)]


class PreconfiguredEntry(SettingsGroup):
    """A connector as it is written. `config` and `secrets` are for its type to check, when it runs."""

    name: Text = required()
    action_type_id: Text = required("actionTypeId")
    config: JsonMap = Field(default={}, repr=False)
    secrets: JsonMap = Field(default={}, repr=False)
    expose_config: bool = Field(default=False, validation_alias="exposeConfig")


def _possible_ids(entries: dict[str, PreconfiguredEntry]) -> dict[str, PreconfiguredEntry]:
    for connector_id in entries:
        if connector_id in IMPOSSIBLE_IDS:
            raise ValueError(f'invalid preconfigured action id "{connector_id}"')
    return entries


class PreconfiguredSettings(SettingsGroup):
    connectors: Annotated[MapOf[Entry[PreconfiguredEntry]], AfterValidator(_possible_ids)] = setting(
        "xpack.actions.preconfigured",
        {},
        "Connectors by id: `{name, actionTypeId, config, secrets, exposeConfig}`; there in every space, and not to be "
        "changed. Entries of several sources come together",
        merged=True,
    )
    alert_history_index: bool = setting(
        "xpack.actions.preconfiguredAlertHistoryEsIndex",
        False,
        "Adds the connector `preconfigured-alert-history-es-index` of the type `.index`",
    )
