"""How a setting is declared, and how the declarations are found again.

A setting is one attribute of a group: its dotted external name, its default and its meaning. Everything else (the name
of its environment variable, its row in the reference, its place in error texts) follows from the declaration.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Undefined:
    """Stands for a value that is needed and was not given, so that it is refused like one of a wrong type.

    `name` is how operators write the field, where that differs from the attribute.
    """

    name: str | None


class SettingsGroup(BaseModel):
    """Settings that belong together. Immutable; values are checked when it is made."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, hide_input_in_errors=True
    )


def setting(
    name: str, default: T, meaning: str, *, variable: str | None = None, secret: bool = False, merged: bool = False
) -> T:
    """Declare a setting. `variable` is a further name of its environment variable; `secret` keeps it out of reprs.

    `merged` is for a map whose entries may come from different sources.
    """
    extra: dict[str, Any] = {**({"variable": variable} if variable else {}), **({"merged": "yes"} if merged else {})}
    return Field(default, alias=name, description=meaning, repr=not secret, json_schema_extra=extra)


def computed_setting(name: str, default: Callable[[], T], shown: str, meaning: str) -> T:
    """Declare a setting whose default depends on the machine; `shown` says it in words."""
    return Field(default_factory=default, alias=name, description=meaning, json_schema_extra={"shown": shown})


def required(name: str | None = None) -> Any:
    """A field of an entry that has no default; without it the entry is refused with the type that was expected."""
    return Field(Undefined(name), validation_alias=name, validate_default=True)


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A declared setting. `path` is where it stands in the model: group and attribute, or the attribute alone."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of its environment variable; where several are set, the first counts."""
        further = self._extra("variable")
        return (variable_name(self.name), *([further] if further else []))

    @property
    def shown_default(self) -> str | None:
        """The default in words, where it depends on the machine."""
        return self._extra("shown")

    @property
    def is_map(self) -> bool:
        """Whether operators choose the keys below the setting."""
        return _map_of(self.field.annotation) is not None

    @property
    def is_merged(self) -> bool:
        """Whether its entries may come from different sources."""
        return self._extra("merged") is not None

    @property
    def entry_fields(self) -> tuple[str, ...]:
        """What an entry of the map may hold; nothing, when entries are plain values."""
        entry = _map_of(self.field.annotation)
        fields = entry.model_fields if entry and issubclass(entry, BaseModel) else {}
        return tuple(str(field.validation_alias or name) for name, field in fields.items())

    def _extra(self, key: str) -> str | None:
        extra = self.field.json_schema_extra
        value = extra.get(key) if isinstance(extra, dict) else None
        return value if isinstance(value, str) else None


def known_settings(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[KnownSetting]:
    """All settings of a model in order of declaration."""
    for attribute, field in model.model_fields.items():
        group = field.annotation
        if field.alias:
            yield KnownSetting(field.alias, (*path, attribute), field)
        elif isinstance(group, type) and issubclass(group, BaseModel):
            yield from known_settings(group, (*path, attribute))


def variable_name(name: str) -> str:
    """`xpack.actions.allowedHosts` → `XPACK_ACTIONS_ALLOWEDHOSTS`."""
    return name.replace(".", "_").upper()


def _map_of(annotation: Any) -> type | None:
    """The type of a map's values; None for what is no map."""
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _plain(arguments[1])
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return next(filter(None, map(_map_of, arguments)), None)
    return None


def _plain(annotation: Any) -> type:
    plain = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return plain if isinstance(plain, type) else object
