"""Spaces as clients see and change them. Independent of HTTP.

The default space is there before anybody has set anything of it. How many spaces there are is known to the read model
only: creations at the same moment may pass the bound by as many.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from connectory.domain.errors import Refused, Unavailable
from connectory.domain.replies import CommandAccepted
from connectory.domain.spaces import (
    DEFAULT_DETAILS,
    DEFAULT_SPACE,
    ActiveSpace,
    CreateSpace,
    DeleteSpace,
    SpaceCommand,
    SpaceDetails,
    UpdateSpace,
    space_not_found,
)
from connectory.gateway.commanding import CommandDesk
from connectory.gateway.origin import NewId, Origin
from connectory.gateway.read_models import ConnectorViews, SpaceViews
from connectory.infra.clock import Clock
from connectory.infra.messages import Messages
from connectory.infra.settings import SpacesSettings
from connectory_projections.spaces import SpaceView

LOOK_EVERY_SECONDS: Final = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spaces:
    """The spaces that there are; the default one is always among them."""

    views: SpaceViews

    async def get(self, space_id: str) -> SpaceView:
        """Raises `Refused` (`space-not-found`)."""
        found = await self.views.get(space_id)
        if found is None and space_id == DEFAULT_SPACE:
            return SpaceView(DEFAULT_SPACE, DEFAULT_DETAILS)
        if found is None:
            raise space_not_found()
        return found

    async def all(self) -> Sequence[SpaceView]:
        """By name in the order of code points, then by id."""
        found = await self.views.everything()
        if all(view.space_id != DEFAULT_SPACE for view in found):
            found = [*found, SpaceView(DEFAULT_SPACE, DEFAULT_DETAILS)]
        return sorted(found, key=lambda view: (view.details.name, view.space_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceChanges:
    """The use cases. Each raises `Refused` when a rule is broken, and `Unavailable` when nobody could decide.

    `deletion_wait` is how long a deletion is waited for to end; it goes on afterwards.
    """

    spaces: Spaces
    connectors: ConnectorViews
    limits: SpacesSettings
    messages: Messages
    desk: CommandDesk
    clock: Clock
    new_id: NewId
    deletion_wait: timedelta

    async def create(self, space_id: str, details: SpaceDetails, origin: Origin) -> SpaceView:
        await self._require_room_for(space_id)
        self._require_allowed(details, "create")
        command = CreateSpace(
            command_id=self._command_id(origin), space_id=space_id, at=self.clock(), by=origin.by, details=details
        )
        return self._view(await self._carry_out(command, origin))

    async def update(self, space_id: str, details: SpaceDetails, origin: Origin) -> SpaceView:
        """Replace all that is set of the space."""
        self._require_allowed(details, "update")
        command = UpdateSpace(
            command_id=self._command_id(origin), space_id=space_id, at=self.clock(), by=origin.by, details=details
        )
        return self._view(await self._carry_out(command, origin))

    async def delete(self, space_id: str, origin: Origin) -> None:
        """Begin the deletion, and wait for its end, so that the next read finds nothing of what was in the space."""
        command = DeleteSpace(command_id=self._command_id(origin), space_id=space_id, at=self.clock(), by=origin.by)
        await self._carry_out(command, origin)
        await self._wait_for_the_end(space_id)

    def _command_id(self, origin: Origin) -> str:
        return origin.command_id or self.new_id()

    async def _carry_out(self, command: SpaceCommand, origin: Origin) -> CommandAccepted:
        return await self.desk.carry_out(command.space_id, command, origin.traceparent)

    async def _require_room_for(self, space_id: str) -> None:
        """A space that is there already takes no room: its creation is a conflict, or the repetition of one."""
        present = {DEFAULT_SPACE, *await self.spaces.views.ids()}
        if len(present) >= self.limits.max_spaces and space_id not in present:
            text = "this exceeds the maximum number of spaces set by the xpack.spaces.maxSpaces setting"
            raise _invalid("create", text)

    def _require_allowed(self, details: SpaceDetails, verb: Literal["create", "update"]) -> None:
        if details.disabled_features and not self.limits.allow_feature_visibility:
            text = "the disabledFeatures array must be empty when xpack.spaces.allowFeatureVisibility setting"
            raise _invalid(verb, f"{text} is disabled")
        if details.solution and not self.limits.allow_solution_visibility:
            text = "the solution property can not be set when xpack.spaces.allowSolutionVisibility setting"
            raise _invalid(verb, f"{text} is disabled")
        if details.solution == "":
            raise _invalid(verb, "solution property cannot be empty")

    def _view(self, accepted: CommandAccepted) -> SpaceView:
        if accepted.state is None:  # a repeated command, and the space was deleted since
            raise space_not_found()
        state = self.messages.decode(accepted.state, ActiveSpace)
        return SpaceView(state.space_id, state.details)

    async def _wait_for_the_end(self, space_id: str) -> None:
        try:
            async with asyncio.timeout(self.deletion_wait.total_seconds()):
                await self._until_nothing_is_left_of(space_id)
        except (TimeoutError, Unavailable) as error:
            reason = str(error) or "it takes long"
            log.warning("the deletion of the space %s goes on after it was answered: %s", space_id, reason)

    async def _until_nothing_is_left_of(self, space_id: str) -> None:
        while True:
            is_under_way = await self.spaces.views.deletion(space_id) is not None
            if not is_under_way and not await self.connectors.by_id(space_id, "", 1):
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def _invalid(verb: str, text: str) -> Refused:
    return Refused("space-invalid", f"Unable to {verb} Space, {text}")
