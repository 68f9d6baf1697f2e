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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, Self

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
from connectory.domain.privileges import ALL_SPACES, NO_PRIVILEGES, Privileges, Right, added_up, granted
from connectory.infra.passwords import is_password_hash
from connectory.infra.role_levels import BUILT_IN_ROLES, FEATURES, base_rights, feature_rights
from connectory.infra.settings.violations import reason
from connectory.infra.yaml_file import read_yaml_map


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password_hash: str = field(repr=False)
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Security:
    """The users by name, and what each role gives, the built-in ones included."""

    users: Mapping[str, User]
    roles: Mapping[str, Privileges]

    def privileges_of(self, roles: Iterable[str]) -> Privileges:
        """What the roles add up to. A name that no role has gives nothing."""
        return added_up(self.roles.get(role, NO_PRIVILEGES) for role in roles)


def load_security(path: Path) -> Security:
    """Read the file. Raises `SettingsInvalid` with one line for each problem; nothing is half taken."""
    try:
        content = _SecurityFile.model_validate(read_yaml_map(path))
    except ValidationError as error:
        lines = [f"{path}: {_at(detail['loc'])}{reason(detail)}" for detail in error.errors(include_url=False)]
        # Without its cause: a validation error holds what was put in, hashes included.
        raise SettingsInvalid("\n".join(lines)) from None
    users = {
        name: User(name, entry.password_hash.get_secret_value(), frozenset(entry.roles))
        for name, entry in content.users.items()
    }
    return Security(users, {**BUILT_IN_ROLES, **{name: role.privileges() for name, role in content.roles.items()}})


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
        for feature, levels in (self.feature or {}).items():
            known = FEATURES.get(feature)
            if known is not None and (unknown := set(levels) - known.keys()):
                raise ValueError(f"feature {feature} has no privilege {sorted(unknown)}; known are {sorted(known)}")
        return self

    def privileges(self) -> Privileges:
        return granted(self.spaces, self._rights())

    def _rights(self) -> Iterable[Right]:
        if self.base is not None:
            in_all_spaces = ALL_SPACES in self.spaces
            return chain.from_iterable(base_rights(level, in_all_spaces=in_all_spaces) for level in self.base)
        features = (self.feature or {}).items()
        return chain.from_iterable(feature_rights(feature, level) for feature, levels in features for level in levels)


class _Role(_Entry):
    kibana: tuple[_Grant, ...] = ()

    def privileges(self) -> Privileges:
        return added_up(grant.privileges() for grant in self.kibana)


class _SecurityFile(_Entry):
    users: dict[_UserName, _UserEntry] = Field(default_factory=dict)
    roles: dict[str, _Role] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _roles_exist(self) -> Self:
        if redefined := BUILT_IN_ROLES.keys() & self.roles.keys():
            raise ValueError(f"built-in roles cannot be redefined: {sorted(redefined)}")
        for name, user in self.users.items():
            if missing := set(user.roles) - BUILT_IN_ROLES.keys() - self.roles.keys():
                raise ValueError(f"user {name} has roles that are not defined: {sorted(missing)}")
        return self


def _at(location: tuple[int | str, ...]) -> str:
    return f"[{'.'.join(map(str, location))}]: " if location else ""
