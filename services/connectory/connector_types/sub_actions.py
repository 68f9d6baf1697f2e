"""The engine of types whose params are a sub-action and its own params: checks, calls and the texts of failures.

A type declares its sub-actions, each a schema and a function that is given the `Service`; what the function returns is
the data of the result, and what it raises becomes a failed one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from connectory.connector_types.contract import Run, RunFailed, SubActionInfo, TypeSettings
from connectory.connector_types.schema_texts import detail
from connectory.connector_types.schemas import Schema
from connectory.connector_types.services import HttpFailure, Service
from connectory.domain.execution import ErrorSource, Result, Succeeded
from connectory.domain.json_types import Json

C = TypeVar("C", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
P = TypeVar("P", bound=BaseModel)


class SubActionParams(Schema):
    sub_action: str
    sub_action_params: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAction(Generic[C, S, P]):
    """`run` answers with the data of the result; None counts as `{}`."""

    name: str
    params: type[P]
    run: Callable[[Service[C, S], P], Awaitable[Json]]
    title: str = ""
    description: str = ""


def framework(_failure: HttpFailure) -> ErrorSource:
    return ErrorSource.FRAMEWORK


def user_when_throttled(failure: HttpFailure) -> ErrorSource:
    return ErrorSource.USER if failure.status == 429 else ErrorSource.FRAMEWORK


@dataclass(frozen=True, slots=True, kw_only=True)
class SubActions(Generic[C, S]):
    """The sub-actions of a type. `describe` words a failed call, `blame` says whose fault it is."""

    type_id: str
    type_name: str
    actions: Sequence[SubAction[C, S, Any]]
    describe: Callable[[HttpFailure], str]
    blame: Callable[[HttpFailure], ErrorSource] = framework

    @property
    def infos(self) -> tuple[SubActionInfo, ...]:
        return tuple(
            SubActionInfo(name=each.name, title=each.title, description=each.description, params=each.params)
            for each in self.actions
        )

    async def execute(self, run: Run[C, S, SubActionParams]) -> Result:
        action = self._find(run)
        params = _parsed(action.params, run.params.sub_action_params)
        service = Service(run=run, describe=self.describe, blame=self.blame)
        data = await action.run(service, params)
        return Succeeded(
            data={} if data is None else data,
            request_body_bytes=service.sent_bytes,
            token_usage=service.token_usage,
        )

    def _find(self, run: Run[C, S, SubActionParams]) -> SubAction[C, S, Any]:
        for action in self.actions:
            if action.name == run.params.sub_action:
                return action
        raise RunFailed(
            f'Sub action "{run.params.sub_action}" is not registered. Connector id: {run.connector_id}. '
            f"Connector name: {self.type_name}. Connector type: {self.type_id}"
        )


def allow_listed(*fields: str) -> Callable[[BaseModel, TypeSettings], str | None]:
    """A check of config for `ConnectorType`: the URLs in these fields must be of allowed hosts."""

    def check(config: BaseModel, settings: TypeSettings) -> str | None:
        for field in fields:
            url = getattr(config, field)
            if url is not None and (problem := settings.hosts.check_url(url)):
                return f"error validating url: {problem}"
        return None

    return check


def _parsed(schema: type[P], params: Mapping[str, Any]) -> P:
    try:
        return schema.model_validate(params)
    except ValidationError as error:
        raise RunFailed(f"Request validation failed ({detail(error, schema)})", ErrorSource.USER) from None
