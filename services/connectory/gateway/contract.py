"""What a route promises, declared beside it: what it takes, what it answers, and the texts of its refusals.

The OpenAPI document and the reference page are made from it, and the tests are held to it. What every route may answer
(no login, a malformed body, the checks of headers, a server that is away) is added to each by `gateway.document`.

    Route("PUT", one, self.update, contract=Contract(
        summary="Replace name, config and secrets of a connector",
        params=UpdateParams,
        body=ConnectorDetails,
        answers=(Answer(200, "The connector as it is now", ChangedConnector),),
        refusals=(Refusal(404, "Saved object [action/<id>] not found"),),
    ))
"""

from dataclasses import dataclass
from types import UnionType
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel

from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import JsonObject
from connectory.gateway.authorization import Operation
from connectory.gateway.errors import Rejected, problem_of

Shape: TypeAlias = type | UnionType | JsonObject
"""How a value looks: a type that pydantic knows (a `TypedDict` or a list of one, a model), or a JSON Schema.

For answers, `@with_config(extra="forbid")` on a `TypedDict` says that there are no keys but those that it names.
"""

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no error body; without `body` it is empty."""

    status: int
    description: str
    body: Shape | None = None
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body. `text` is exact but for `<words>`, each of which stands for a value.

    Texts that come from the schema of params, query or body need no line: their form is the same everywhere.
    """

    status: int
    text: str

    @classmethod
    def of(cls, error: ConnectoryError) -> "Refusal":
        """An error as the edge words it; its values are `<words>`."""
        problem = problem_of(error)
        return cls(problem.status, problem.message)

    @classmethod
    def denied(cls, operation: Operation) -> "Refusal":
        return cls.of(Rejected.forbidden(operation.denial))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """`params`, `query` and `body` are the models that the handler checks by; names of params are those of the path.

    `repeatable`: a change that a caller may repeat under the id of its command (`x-connectory-command-id`).
    """

    summary: str
    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...] = ()
    params: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    body: Shape | None = None
    body_required: bool = True
    body_type: Literal["application/json", "multipart/form-data"] = JSON
    repeatable: bool = False
