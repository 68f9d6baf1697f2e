"""What an import tells besides its results: connectors that want their secrets, and those that were not kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from connectory.domain.in_memory_connectors import NO_IN_MEMORY_CONNECTORS, InMemoryConnectors
from connectory.domain.json_types import Json
from connectory.gateway.saved_objects.objects import is_missing_secrets
from connectory.gateway.saved_objects.plans import Placement
from connectory.gateway.schemas import LONGEST_CONNECTOR_ID, is_strict_id

ACTION_PATH: Final = "/app/management/insightsAndAlerting/triggersActionsConnectors"
STRICT_RULE: Final = (
    "Connector IDs must contain only lowercase letters, numbers, and hyphens "
    f"and be {LONGEST_CONNECTOR_ID} characters or less."
)


@dataclass(frozen=True, slots=True)
class IdRules:
    """Ids that no import may bring: those of connectors in memory, and with `strict` those that are badly formed."""

    in_memory: InMemoryConnectors = NO_IN_MEMORY_CONNECTORS
    strict: bool = False

    def is_kept(self, placement: Placement) -> bool:
        return not (self._is_preconfigured(placement) or self._is_invalid(placement))

    def warnings(self, placements: Iterable[Placement]) -> list[Json]:
        """About objects that are written, or would be if nothing stood in the way of others."""
        placed = [*placements]
        return [
            *_asking_for_secrets([each for each in placed if self.is_kept(each)]),
            *_preconfigured([each.connector_id for each in placed if self._is_preconfigured(each)]),
            *_invalid([each.connector_id for each in placed if self._is_invalid(each)]),
        ]

    def _is_preconfigured(self, placement: Placement) -> bool:
        return not placement.made_anew and placement.connector_id in self.in_memory

    def _is_invalid(self, placement: Placement) -> bool:
        return self.strict and not placement.made_anew and not is_strict_id(placement.connector_id)


def _asking_for_secrets(placements: Iterable[Placement]) -> list[Json]:
    number = sum(is_missing_secrets(each.object) for each in placements)
    if not number:
        return []
    subject = "1 connector has" if number == 1 else f"{number} connectors have"
    return [_warning(f"{subject} sensitive information that require updates.")]


def _preconfigured(ids: Sequence[str]) -> list[Json]:
    if not ids:
        return []
    if len(ids) == 1:
        text = "conflicts with a preconfigured connector and was removed. The preconfigured connector will be used"
    else:
        text = "conflict with preconfigured connectors and were removed. The preconfigured connectors will be used"
    return [_warning(f"{_named(ids)} {text} instead.")]


def _invalid(ids: Sequence[str]) -> list[Json]:
    if not ids:
        return []
    text = "has an invalid ID and was removed." if len(ids) == 1 else "have invalid IDs and were removed."
    return [_warning(f"{_named(ids)} {text} {STRICT_RULE}")]


def _named(ids: Sequence[str]) -> str:
    return f"Connector{'' if len(ids) == 1 else 's'} with ID{'' if len(ids) == 1 else 's'} [{', '.join(ids)}]"


def _warning(message: str) -> Json:
    return {
        "type": "action_required",
        "message": message,
        "actionPath": ACTION_PATH,
        "buttonLabel": "Go to connectors",
    }
