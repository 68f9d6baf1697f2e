"""The read models. One file a projection, its SQL beside it; `ALL` is the registration."""

from typing import Final

from connectory.domain.errors import Refused
from connectory_projections.connectors_by_space import CONNECTORS_BY_SPACE
from connectory_projections.event_log import EVENT_LOG
from connectory_projections.model import AnyProjection

__all__ = ["ALL", "CONNECTORS_BY_SPACE", "EVENT_LOG", "named"]

ALL: Final[tuple[AnyProjection, ...]] = (CONNECTORS_BY_SPACE, EVENT_LOG)


def named(name: str) -> AnyProjection:
    """The projection of that name. Raises `Refused` (`projection-not-found`), naming those that there are."""
    for projection in ALL:
        if projection.name == name:
            return projection
    known = ", ".join(projection.name for projection in ALL)
    raise Refused("projection-not-found", f'There is no projection "{name}". There are: {known}')
