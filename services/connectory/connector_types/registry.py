"""The registry: which types there are, what may be saved under them, and how one attempt is run.

The order of checks and their texts are part of the wire contract: registered, config, secrets, both together, enabled.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from connectory.connector_types import ALL
from connectory.connector_types.contract import (
    AnyConnectorType,
    EgressFailed,
    EgressRefused,
    License,
    Run,
    RunFailed,
    Surroundings,
    TypeSettings,
)
from connectory.connector_types.schema_texts import detail
from connectory.connector_types.schemas import saved
from connectory.connector_types.templating import Render, render_object
from connectory.domain.errors import ConnectoryError, Refused
from connectory.domain.execution import ErrorSource, Failed, Result
from connectory.domain.json_types import JsonObject

TIERS: Final[tuple[License, ...]] = get_args(License)
"""From the least to the most."""

M = TypeVar("M", bound=BaseModel)
Refusal = Callable[[str], Refused]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A connector that passed every check: its type, and its config and secrets as typed values."""

    type: AnyConnectorType
    config: BaseModel
    secrets: BaseModel


class TypeRegistry:
    """The connector types under the operator's settings.

    `enabled_action_types` holds type ids or `*`; `license_type` is the tier that the installation has.
    """

    def __init__(
        self,
        types: Iterable[AnyConnectorType] = ALL,
        *,
        settings: TypeSettings,
        enabled_action_types: Collection[str] = ("*",),
        license_type: License = "enterprise",
    ) -> None:
        self._types = {connector_type.id: connector_type for connector_type in types}
        self._settings = settings
        self._enabled = frozenset(enabled_action_types)
        self._license = license_type

    def __iter__(self) -> Iterator[AnyConnectorType]:
        return iter(self._types.values())

    def get(self, type_id: str) -> AnyConnectorType:
        """Raise `Refused` when the type is not registered."""
        try:
            return self._types[type_id]
        except KeyError:
            raise Refused.type_not_registered(type_id) from None

    def is_system(self, type_id: str) -> bool:
        """Whether it is a system type; one that is not registered is none."""
        declared = self._types.get(type_id)
        return declared is not None and declared.is_system

    def is_enabled_in_config(self, type_id: str) -> bool:
        return "*" in self._enabled or type_id in self._enabled

    def is_enabled_in_license(self, type_id: str) -> bool:
        return TIERS.index(self.get(type_id).minimum_license) <= TIERS.index(self._license)

    def is_enabled(self, type_id: str) -> bool:
        return self.is_enabled_in_config(type_id) and self.is_enabled_in_license(type_id)

    def check_enabled(self, type_id: str) -> None:
        """Raise `Refused` when the type is not registered, or disabled by configuration or licence, in that order."""
        self.get(type_id)
        if not self.is_enabled_in_config(type_id):
            text = f'action type "{type_id}" is not enabled in the Kibana config xpack.actions.enabledActionTypes'
            raise Refused.type_disabled(text)
        self.check_licensed(type_id)

    def check_licensed(self, type_id: str) -> None:
        """Raise `Refused` when the type is not registered, or disabled by the licence."""
        if not self.is_enabled_in_license(type_id):
            raise Refused.type_disabled(
                f"Action type {type_id} is disabled because your {self._license} license does not support it. "
                "Please upgrade your license."
            )

    def check_config(self, type_id: str, config: JsonObject) -> JsonObject:
        """Return the config as it is to be saved; raise `Refused` (registered, config, enabled)."""
        valid = self._valid_config(self.get(type_id), config)
        self.check_enabled(type_id)
        return saved(valid)

    def check(self, type_id: str, config: JsonObject, secrets: JsonObject) -> JsonObject:
        """Return the config as it is to be saved; raise `Refused` (registered, config, secrets, both, enabled)."""
        valid = self._valid(self.get(type_id), config, secrets)
        self.check_enabled(type_id)
        return saved(valid.config)

    def prepare(self, type_id: str, config: JsonObject, secrets: JsonObject) -> Prepared:
        """Check a saved connector for running; raise `Refused` (registered, enabled, config, secrets, both).

        The answer holds for as long as the connector's version and the settings do.
        """
        self.check_enabled(type_id)
        return self._valid(self.get(type_id), config, secrets)

    def prepare_in_memory(
        self, type_id: str, config: JsonObject, secrets: JsonObject, *, is_system: bool = False
    ) -> Prepared:
        """The same for a connector in memory: which types are enabled does not matter to it."""
        self.check_licensed(type_id)
        declared = self.get(type_id)
        return self._valid((is_system and declared.system_variant) or declared, config, secrets)

    def works_without_secrets(self, type_id: str) -> bool:
        """Whether the type takes it that no secrets are given; nobody can say so of one that is not registered."""
        try:
            self._valid_secrets(self.get(type_id), {})
        except Refused:
            return False
        return True

    def parse_params(self, connector_type: AnyConnectorType, params: JsonObject) -> BaseModel:
        """Raise `Refused` when the params do not fit the type's schema."""
        chosen = connector_type.params_of
        schema: type[BaseModel] = chosen(params) if chosen else connector_type.params
        valid: BaseModel = _parsed(schema, params, Refused.params_invalid)
        _refuse(connector_type.check_params(valid, self._settings), Refused.params_invalid)
        return valid

    def render_params(
        self, type_id: str, params: JsonObject, variables: JsonObject, *, connector_id: str, now: datetime
    ) -> JsonObject:
        """Fill in the Mustache templates of params the way the type asks for. Broken templates render as a text.

        Raises `Refused` where the type makes params of the variables, and these do not do.
        """
        render = Render(variables, connector_id, now)
        own_way = self.get(type_id).render_params
        return own_way(params, render) if own_way else render_object(params, render)

    async def execute(
        self,
        prepared: Prepared,
        params: BaseModel,
        *,
        connector_id: str,
        connector_name: str,
        idempotency_key: str,
        source: str | None,
        surroundings: Surroundings,
    ) -> Result:
        """Run one attempt. Whatever the type raises becomes a failed result; only cancellation passes."""
        run: Run[Any, Any, Any] = Run(
            connector_id=connector_id,
            connector_name=connector_name,
            config=prepared.config,
            secrets=prepared.secrets,
            params=params,
            idempotency_key=idempotency_key,
            source=source,
            settings=self._settings,
            surroundings=surroundings,
        )
        try:
            result = await prepared.type.execute(run)
        except Exception as error:  # a type's mistake is the outcome of this attempt, not the end of the executor
            result = _raised(error)
        try:
            return surroundings.tokens.without_token(connector_id, result)
        except RecursionError:  # it was carried out: another attempt would repeat it
            return Failed.nested_too_deeply()

    def _valid(self, connector_type: AnyConnectorType, config: JsonObject, secrets: JsonObject) -> Prepared:
        valid_config = self._valid_config(connector_type, config)
        valid_secrets = self._valid_secrets(connector_type, secrets)
        _refuse(connector_type.check_connector(valid_config, valid_secrets), Refused.connector_invalid)
        return Prepared(connector_type, valid_config, valid_secrets)

    def _valid_config(self, connector_type: AnyConnectorType, config: JsonObject) -> BaseModel:
        chosen = connector_type.config_of
        schema: type[BaseModel] = chosen(config) if chosen else connector_type.config
        valid: BaseModel = _parsed(schema, config, Refused.config_invalid)
        _refuse(connector_type.check_config(valid, self._settings), Refused.config_invalid)
        return valid

    def _valid_secrets(self, connector_type: AnyConnectorType, secrets: JsonObject) -> BaseModel:
        valid: BaseModel = _parsed(connector_type.secrets, secrets, Refused.secrets_invalid)
        _refuse(connector_type.check_secrets(valid, self._settings), Refused.secrets_invalid)
        return valid


def _parsed(schema: type[M], value: JsonObject, refusal: Refusal) -> M:
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise refusal(detail(error, schema)) from None


def _refuse(problem: str | None, refusal: Refusal) -> None:
    if problem:
        raise refusal(problem)


def _raised(error: Exception) -> Failed:
    """The result of a run that ended with an exception; but for a call that is not allowed, it may go well later."""
    result = Failed(
        message="an error occurred while running the action",
        service_message=str(error),
        retry=True,
        error_source=ErrorSource.FRAMEWORK,
        reason=error.code if isinstance(error, ConnectoryError) else ConnectoryError.code,
    )
    match error:
        case RunFailed():
            return replace(
                result,
                error_source=error.error_source,
                status=error.status,
                undelivered=error.undelivered,
                retry_after=error.retry_after,
            )
        case EgressRefused():
            return replace(result, retry=False, error_source=ErrorSource.USER)
        case EgressFailed():
            return replace(result, undelivered=error.undelivered)
        case _:
            return result
