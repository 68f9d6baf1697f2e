"""The forms in which values of settings are written: durations, byte sizes, host names, lists.

Each form is an annotated type, so that a setting gets its parsing by its annotation. A text that does not fit raises
`ValueError` with the reason as the operator sees it.
"""

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, core_schema

from connectory.infra.settings.maps import unfold

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Form:
    """How a value of the type is called, and written, in the reference."""

    label: str
    write: Callable[[object], str] = str


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The shortest duration allowed. The library's own bound would show the duration as Python writes it."""

    ge: timedelta

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: timedelta) -> timedelta:
        if value < self.ge:
            raise ValueError(f"Value must be equal to or greater than [{write_duration(self.ge)}].")
        return value


@dataclass(frozen=True, slots=True)
class AtMost:
    """The longest duration allowed."""

    le: timedelta

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: timedelta) -> timedelta:
        if value > self.le:
            raise ValueError(f"Value must be equal to or lower than [{write_duration(self.le)}].")
        return value


@dataclass(frozen=True, slots=True)
class NotNull:
    """For a setting that may be left out and yet not be null; `expected` is what it should be."""

    expected: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def _check(self, value: object) -> object:
        if value is None:
            raise ValueError(f"expected value of type [{self.expected}] but got [null]")
        return value


_MILLISECONDS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "M": 30 * 86_400_000,
    "Y": 365 * 86_400_000,
}
_BYTES: Final = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
_LONGEST: Final = timedelta(days=36_500)
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def parse_duration(value: object) -> object:
    """`60s`, `5m`, `90d`, or a bare number of milliseconds. Anything but a string or a number is left alone."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    count, unit = _split(str(value), _MILLISECONDS, "ms")
    if count is None or count * unit > _LONGEST / timedelta(milliseconds=1):
        raise ValueError(f"value must be a duration such as 500ms, 60s, 5m or 90d, but got [{value}]")
    return timedelta(milliseconds=count * unit)


def parse_byte_size(value: object) -> object:
    """`1mb`, `512kb`, or a bare number of bytes. Anything but a string is left alone."""
    if not isinstance(value, str):
        return value
    count, unit = _split(value, _BYTES, "b")
    if count is None:
        raise ValueError(f"value must be a byte size such as 512kb, 1mb or 1048576, but got [{value}]")
    return count * unit


def write_duration(value: object) -> str:
    """The shortest form: the largest unit that divides the duration."""
    milliseconds = round(value / timedelta(milliseconds=1)) if isinstance(value, timedelta) else 0
    return _write(milliseconds, {unit: _MILLISECONDS[unit] for unit in ("d", "h", "m", "s", "ms")})


def write_byte_size(value: object) -> str:
    return _write(value if isinstance(value, int) else 0, {unit: _BYTES[unit] for unit in ("gb", "mb", "kb", "b")})


def check_hostname(value: str) -> str:
    """An RFC 1123 name (internationalised ones in either form) or an IP address, IPv6 without brackets."""
    if not (_is_address(value) or _is_name(value)):
        raise ValueError("value must be a valid hostname (see RFC 1123).")
    return value


def matching(pattern: str, words: str) -> AfterValidator:
    """A check by a regular expression that is explained in words and never shows the value."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.match(value):
            raise ValueError(f"value must be {words}")
        return value

    return AfterValidator(check)


def parse_list(value: object) -> object:
    """A list may be written as JSON, which is how environment variables hold one."""
    return _from_json(value, list)


def parse_object(value: object) -> object:
    """The same for an entry of a list that is an object."""
    return _from_json(value, dict)


def _from_json(value: object, kind: type[object]) -> object:
    if not isinstance(value, str):
        return value
    try:
        parsed: object = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, kind) else value


def _split(text: str, units: dict[str, int], default: str) -> tuple[int | None, int]:
    match = re.fullmatch(r"([0-9]{1,15})([A-Za-z]*)", text)
    unit = (match[2] or default) if match else ""
    return (int(match[1]), units[unit]) if match and unit in units else (None, 0)


def _write(count: int, units: dict[str, int]) -> str:
    return next((f"{count // size}{unit}" for unit, size in units.items() if count and count % size == 0), str(count))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def _is_name(value: str) -> bool:
    try:
        name = value.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def _hostname_or_any(value: str) -> str:
    return value if value == "*" else check_hostname(value)


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"value must be an IP address or a CIDR range, but got [{value}]") from None
    return value


def _empty_is_unset(value: object) -> object:
    return None if value == "" else value


def _no_boolean(value: object) -> object:
    """To Python true is a number."""
    if value is True or value is False:
        raise ValueError("expected value of type [number] but got [boolean]")
    return value


Whole: TypeAlias = Annotated[int, BeforeValidator(_no_boolean)]
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(parse_duration), Form("duration", write_duration)]
ByteSize: TypeAlias = Annotated[int, BeforeValidator(parse_byte_size), Form("byte size", write_byte_size), Ge(1)]
AllowedHost: TypeAlias = Annotated[str, AfterValidator(_hostname_or_any), Form("hostname or `*`")]
Hostname: TypeAlias = Annotated[str, AfterValidator(check_hostname), Form("hostname")]
AddressRange: TypeAlias = Annotated[str, AfterValidator(_network), Form("IP address or CIDR")]
ListOf: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(parse_list)]
MapOf: TypeAlias = Annotated[dict[str, T], BeforeValidator(parse_object)]
Entry: TypeAlias = Annotated[T, BeforeValidator(unfold), BeforeValidator(parse_object)]
Text: TypeAlias = Annotated[str, MinLen(1)]
Positive: TypeAlias = Annotated[Whole, Ge(1)]
Port: TypeAlias = Annotated[Whole, Ge(0), Le(65535)]
OrUnset: TypeAlias = Annotated[T | None, BeforeValidator(_empty_is_unset)]
EncryptionKey: TypeAlias = Annotated[SecretStr, MinLen(32), Form("secret string, at least 32 characters")]
