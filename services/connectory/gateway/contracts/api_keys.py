"""Contracts of the routes for API keys."""

from typing import Final, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from connectory.gateway import authorization
from connectory.gateway.api_key_schemas import NewApiKey
from connectory.gateway.api_keys import TOO_MANY_TEXT
from connectory.gateway.contract import Answer, Contract, Refusal


@with_config(extra="forbid")
class MadeApiKey(TypedDict):
    """`encoded` is what follows `ApiKey` in the header; it and `api_key` are shown this once."""

    id: str
    name: str
    expiration: NotRequired[str]
    api_key: str
    encoded: str


@with_config(extra="forbid")
class ShownApiKey(TypedDict):
    """`roles` are those that it was narrowed to, if it was."""

    id: str
    name: str
    owner: str
    realm: str
    created_at: str
    expiration: NotRequired[str]
    roles: NotRequired[list[str]]


@with_config(extra="forbid")
class ApiKeys(TypedDict):
    items: list[ShownApiKey]


CREATE: Final = Contract(
    summary="Make an API key with the privileges of its maker, or fewer",
    body=NewApiKey,
    answers=(Answer(200, "The key, with the secret part that is never shown again", MadeApiKey),),
    refusals=(
        Refusal.denied(authorization.CREATE_API_KEYS),
        Refusal(400, TOO_MANY_TEXT),
    ),
)
LIST: Final = Contract(
    summary="List one's own API keys; a superuser sees all",
    answers=(Answer(200, "The keys that are not revoked, oldest first", ApiKeys),),
)
REVOKE: Final = Contract(
    summary="Revoke an API key: from the answer on, no gateway takes it",
    answers=(Answer(204, "It is revoked"),),
    refusals=(Refusal.denied(authorization.REVOKE_API_KEYS), Refusal(404, "API key [<id>] not found")),
)
