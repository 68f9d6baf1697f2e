"""What a caller may do, and where: rights that are held in some spaces or in all of them.

How roles are written down, and what their levels are called, is for whoever reads them; here they are resolved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

ALL_SPACES: Final = "*"
"""Stands for every space, those that are made later included."""


class Right(StrEnum):
    """The names are kept with API keys: one may be added, none renamed."""

    SEE_SPACE = "see_space"
    """That there is any privilege at all, be it on a feature that Connectory has not."""

    GET = "get"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    EXECUTE = "execute"
    EXECUTE_ENDPOINT_SECURITY = "execute_endpoint_security"
    """Running connectors of the sub-feature Endpoint Security; it takes `EXECUTE` besides."""

    COPY_TO_SPACES = "copy_to_spaces"
    MANAGE_SPACES = "manage_spaces"
    SUPERUSER = "superuser"
    """Whoever holds it in all spaces holds every right, those that come with later versions included."""


@dataclass(frozen=True, slots=True)
class Privileges:
    """Rights in all spaces, and those held in single spaces besides."""

    everywhere: frozenset[Right] = frozenset()
    in_space: Mapping[str, frozenset[Right]] = field(default_factory=dict)

    @property
    def is_superuser(self) -> bool:
        return Right.SUPERUSER in self.everywhere

    def at(self, space_id: str) -> frozenset[Right]:
        """The rights in one space."""
        if self.is_superuser:
            return EVERY_RIGHT
        return self.everywhere | self.in_space.get(space_id, frozenset())

    def everywhere_at_once(self) -> frozenset[Right]:
        """The rights in all spaces, those that are made later included."""
        return EVERY_RIGHT if self.is_superuser else self.everywhere

    def somewhere(self) -> frozenset[Right]:
        """The rights that are held in at least one space."""
        return self.everywhere_at_once().union(*self.in_space.values())

    def and_also(self, other: "Privileges") -> "Privileges":
        """Both together: what roles add up to."""
        return Privileges(
            self.everywhere | other.everywhere,
            {
                space_id: self.in_space.get(space_id, frozenset()) | other.in_space.get(space_id, frozenset())
                for space_id in self.in_space.keys() | other.in_space.keys()
            },
        )

    def only_what_is_in(self, other: "Privileges") -> "Privileges":
        """What both hold: each narrows the other."""
        return Privileges(
            self.everywhere_at_once() & other.everywhere_at_once(),
            {
                space_id: self.at(space_id) & other.at(space_id)
                for space_id in self.in_space.keys() | other.in_space.keys()
            },
        )


EVERY_RIGHT: Final = frozenset(Right)
NO_PRIVILEGES: Final = Privileges()
EVERY_PRIVILEGE: Final = Privileges(EVERY_RIGHT)


def added_up(each: Iterable[Privileges]) -> Privileges:
    together = NO_PRIVILEGES
    for privileges in each:
        together = together.and_also(privileges)
    return together


def granted(space_ids: Iterable[str], rights: Iterable[Right]) -> Privileges:
    """The rights in those spaces; `ALL_SPACES` among them means everywhere."""
    held, spaces = frozenset(rights), frozenset(space_ids)
    everywhere = held if ALL_SPACES in spaces else frozenset[Right]()
    return Privileges(everywhere, dict.fromkeys(spaces - {ALL_SPACES}, held))
