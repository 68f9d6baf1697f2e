"""`security.yml`: users with their password hashes and roles, and what the roles grant.

```yaml
users:
  alice: { password_hash: "$argon2id$v=19$…", roles: [ops] }
roles:
  ops:
    kibana:
      - { spaces: ["*"], feature: { actions: [read] } }
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from annotated_types import MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from connectory.domain.errors import SettingsInvalid
from connectory.infra.passwords import is_password_hash
from connectory.infra.settings.violations import reason
from connectory.infra.yaml_file import read_yaml_map

SUPERUSER: Final = "superuser"
BUILT_IN_ROLES: Final = frozenset({SUPERUSER, "kibana_admin", "editor", "viewer"})

_ACTIONS_LEVELS: Final = frozenset({"all", "read", "minimal_all", "minimal_read", "endpoint_security_execute"})


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password_hash: str = field(repr=False)
    roles: frozenset[str]


Users: TypeAlias = Mapping[str, User]


def load_users(path: Path) -> Users:
    """The users of the file by name. Raises `SettingsInvalid` with one line for each problem; nothing is half taken."""
    try:
        content = _SecurityFile.model_validate(read_yaml_map(path))
    except ValidationError as error:
        lines = [f"{path}: {_at(detail['loc'])}{reason(detail)}" for detail in error.errors(include_url=False)]
        # Without its cause: a validation error holds what was put in, hashes included.
        raise SettingsInvalid("\n".join(lines)) from None
    return {
        name: User(name, entry.password_hash.get_secret_value(), frozenset(entry.roles))
        for name, entry in content.users.items()
    }


def _check_hash(value: SecretStr) -> SecretStr:
    if not is_password_hash(value.get_secret_value()):
        raise ValueError("must be an argon2id or scrypt hash in PHC format; plain text passwords are refused")
    return value


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _UserEntry(_Entry):
    password_hash: Annotated[SecretStr, AfterValidator(_check_hash)]
    roles: tuple[str, ...] = ()


_UserName = Annotated[str, StringConstraints(pattern="^[^:]+$")]
_SpaceName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_-]+|\*)$")]


class _Grant(_Entry):
    """Privileges in some spaces (`*`: in all): on every feature (`base`) or on some."""

    spaces: Annotated[tuple[_SpaceName, ...], MinLen(1)]
    base: Annotated[tuple[Literal["all", "read"], ...], MinLen(1)] | None = None
    feature: Annotated[dict[str, tuple[str, ...]], MinLen(1)] | None = None

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        if (self.base is None) == (self.feature is None):
            raise ValueError("needs either base or feature, and not both")
        unknown = set((self.feature or {}).get("actions", ())) - _ACTIONS_LEVELS
        if unknown:
            raise ValueError(f"feature actions has no privilege {sorted(unknown)}; known are {sorted(_ACTIONS_LEVELS)}")
        return self


class _Role(_Entry):
    kibana: tuple[_Grant, ...] = ()


class _SecurityFile(_Entry):
    users: dict[_UserName, _UserEntry] = Field(default_factory=dict)
    roles: dict[str, _Role] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _roles_exist(self) -> Self:
        if redefined := BUILT_IN_ROLES & self.roles.keys():
            raise ValueError(f"built-in roles cannot be redefined: {sorted(redefined)}")
        for name, user in self.users.items():
            if missing := set(user.roles) - BUILT_IN_ROLES - self.roles.keys():
                raise ValueError(f"user {name} has roles that are not defined: {sorted(missing)}")
        return self


def _at(location: tuple[int | str, ...]) -> str:
    return f"[{'.'.join(map(str, location))}]: " if location else ""
