"""Given events, when a command, then events or a refusal: the connector decider in a test's words."""

from dataclasses import dataclass

from connectory.domain.commands import ConnectorCommand
from connectory.domain.connector import Connector, Context, TypeRules, decide, fold
from connectory.domain.errors import Refused
from connectory.domain.events import ConnectorEvent
from connectory.domain.json_types import JsonObject


class AnyConfig:
    """Type rules that take every config as it is."""

    def check_config(self, type_id: str, config: JsonObject) -> JsonObject:
        return config


def given(*events: ConnectorEvent, rules: TypeRules | None = None) -> "Given":
    """Start from the connector that these events make."""
    return Given(fold(events), Context(rules or AnyConfig()))


@dataclass(frozen=True, slots=True)
class Given:
    state: Connector
    context: Context

    def when(self, command: ConnectorCommand) -> "Decided":
        try:
            return Decided(decide(command, self.state, self.context), None)
        except Refused as refusal:
            return Decided([], refusal)


@dataclass(frozen=True, slots=True)
class Decided:
    events: list[ConnectorEvent]
    refusal: Refused | None

    def then(self, *expected: ConnectorEvent) -> None:
        if self.refusal is not None:
            text = f"expected events, but the command was refused: {self.refusal}"
            raise AssertionError(text)
        if self.events != list(expected):
            text = f"expected {list(expected)}\nbut decided {self.events}"
            raise AssertionError(text)

    def refused_with(self, code: str) -> None:
        if self.refusal is None:
            text = f"expected a refusal with {code}, but decided {self.events}"
            raise AssertionError(text)
        if self.refusal.code != code:
            text = f"expected a refusal with {code}, but it was {self.refusal.code}: {self.refusal}"
            raise AssertionError(text)
