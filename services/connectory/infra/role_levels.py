"""What the levels that roles name mean in rights, and the roles that need no file.

`base` is a level on every feature; `feature` names levels of one. A feature that is not here has none of our rights,
but whoever has a level of it is shown the space.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from connectory.domain.privileges import ALL_SPACES, EVERY_PRIVILEGE, Privileges, Right, granted

SUPERUSER: Final = "superuser"

_SEE: Final = frozenset({Right.SEE_SPACE})
_READ: Final = _SEE | {Right.GET, Right.EXECUTE}
_WRITE: Final = _READ | {Right.CREATE, Right.UPDATE, Right.DELETE}
_ENDPOINT_SECURITY: Final = _SEE | {Right.EXECUTE_ENDPOINT_SECURITY}
_COPY: Final = _SEE | {Right.COPY_TO_SPACES}

FEATURES: Final[Mapping[str, Mapping[str, frozenset[Right]]]] = {
    "actions": {
        "all": _WRITE | _ENDPOINT_SECURITY,
        "read": _READ,
        "minimal_all": _WRITE,
        "minimal_read": _READ,
        "endpoint_security_execute": _ENDPOINT_SECURITY,
    },
    "savedObjectsManagement": {
        "all": _COPY,
        "read": _SEE,
        "minimal_all": _COPY,
        "minimal_read": _SEE,
    },
}
"""The rights by feature and level. No feature implies those of another."""


def feature_rights(feature: str, level: str) -> frozenset[Right]:
    return FEATURES.get(feature, {}).get(level, _SEE)


def base_rights(level: str, *, in_all_spaces: bool) -> frozenset[Right]:
    """The level on every feature. `all` in all spaces is what manages spaces."""
    rights = frozenset[Right]().union(*(feature_rights(feature, level) for feature in FEATURES))
    return rights | {Right.MANAGE_SPACES} if in_all_spaces and level == "all" else rights


def _everywhere(rights: Iterable[Right]) -> Privileges:
    return granted({ALL_SPACES}, rights)


BUILT_IN_ROLES: Final[Mapping[str, Privileges]] = {
    SUPERUSER: EVERY_PRIVILEGE,
    "kibana_admin": _everywhere(base_rights("all", in_all_spaces=True)),
    "editor": _everywhere(feature_rights("actions", "all")),
    "viewer": _everywhere(feature_rights("actions", "read")),
}
"""They cannot be redefined."""
