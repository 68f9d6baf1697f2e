"""OAuth 2.0 client credentials (RFC 6749, section 4.4): access tokens, fetched when needed and kept for a while.

Tokens are kept in memory, by connector: each executor process fetches its own.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote, urlencode

from connectory.connector_types.basic_auth import basic
from connectory.connector_types.outgoing import Egress, OutgoingRequest, OutgoingResponse
from connectory.domain.errors import ConnectoryError
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.domain.json_types import Json
from connectory.domain.secrets import REDACTED

log = logging.getLogger(__name__)

EARLY: Final = timedelta(seconds=30)
"""How long before its end a token is no more used, or a tenth of its life if that is less: a call takes time, too."""


class TokenRefused(ConnectoryError):
    """The token endpoint gave no token: another status than 200, or an answer without one."""

    code = "token-refused"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """What a token is asked for with. `additional_fields` go into the form after the others."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    additional_fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    endpoint_auth: Literal["client_secret_post", "client_secret_basic"] = "client_secret_post"


@dataclass(frozen=True, slots=True)
class _Saved:
    credentials: ClientCredentials
    header: str = field(repr=False)
    good_until: datetime


class AccessTokens:
    """The tokens of the connectors that run in this process."""

    def __init__(self) -> None:
        self._saved: dict[str, _Saved] = {}
        self._in_flight: dict[tuple[str, ClientCredentials], asyncio.Future[str]] = {}
        self._latest: dict[str, str] = {}

    async def header(
        self, connector_id: str, credentials: ClientCredentials, egress: Egress, now: Callable[[], datetime]
    ) -> str:
        """The value of an `Authorization` header; of those who ask at once, one fetches it for all.

        Raises `TokenRefused`, and `EgressFailed` when the endpoint gives no answer.
        """
        key = (connector_id, credentials)
        while True:
            saved = self._saved.get(connector_id)
            if saved is not None and saved.credentials == credentials and now() < saved.good_until:
                return saved.header
            fetched_by_another = self._in_flight.get(key)
            if fetched_by_another is None:
                return await self._fetch_for_all(key, egress, now)
            await asyncio.wait([fetched_by_another])
            if not fetched_by_another.cancelled():  # else it is for one of those who waited to fetch it
                return fetched_by_another.result()

    def without_token(self, connector_id: str, result: Result) -> Result:
        """The result of a run through the connector with nothing in it of the token that it may have used."""
        token = self._latest.get(connector_id)
        return result if token is None else _without(result, token)

    def drop(self, connector_id: str) -> None:
        """Forget the token: a target has refused it, or seems to have."""
        self._saved.pop(connector_id, None)

    def drop_if_refused(self, connector_id: str, status: int) -> None:
        """Forget the token when the target answered a call with it by a 4xx."""
        if 400 <= status < 500:
            self.drop(connector_id)

    async def _fetch_for_all(
        self, key: tuple[str, ClientCredentials], egress: Egress, now: Callable[[], datetime]
    ) -> str:
        promise = self._in_flight[key] = asyncio.get_running_loop().create_future()
        try:
            header = await self._fetch(*key, egress, now)
        except asyncio.CancelledError:
            promise.cancel()
            raise
        except BaseException as error:
            promise.set_exception(error)
            promise.exception()  # whether or not anybody else waits for it, this caller is told
            raise
        else:
            promise.set_result(header)
            return header
        finally:
            del self._in_flight[key]

    async def _fetch(
        self, connector_id: str, credentials: ClientCredentials, egress: Egress, now: Callable[[], datetime]
    ) -> str:
        asked_at = now()
        answer = _token(await egress.send(token_request(credentials)))
        self._latest[connector_id] = str(answer["access_token"])
        header = f"{answer['token_type']} {answer['access_token']}"
        life = _life(answer.get("expires_in"))
        if life is not None:
            good_until = asked_at + life - min(EARLY, life / 10)
            self._saved[connector_id] = _Saved(credentials, header, good_until)
        return header


def client_credentials(
    *,
    token_url: str | None,
    client_id: str | None,
    client_secret: str | None,
    scope: str | None = None,
    additional_fields: Mapping[str, object] | None = None,
) -> ClientCredentials | None:
    """None when something is missing that no token can be asked for without; it is logged."""
    if not token_url or not client_id or not client_secret:
        log.warning("Missing required fields for requesting OAuth Client Credentials access token")
        return None
    extra = tuple((name, _form_value(value)) for name, value in (additional_fields or {}).items())
    return ClientCredentials(
        token_url=token_url,
        client_id=client_id,
        client_secret=client_secret,
        scope=scope,
        additional_fields=extra,
    )


def token_request(credentials: ClientCredentials) -> OutgoingRequest:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
    fields = {"grant_type": "client_credentials"}
    if credentials.scope:
        fields["scope"] = credentials.scope
    if credentials.endpoint_auth == "client_secret_basic":
        # Each part is form-encoded first (RFC 6749, section 2.3.1).
        headers["Authorization"] = basic(quote(credentials.client_id, ""), quote(credentials.client_secret, ""))
    else:
        fields |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    body = urlencode(fields | dict(credentials.additional_fields))
    return OutgoingRequest(method="POST", url=credentials.token_url, headers=headers, body=body)


def _token(response: OutgoingResponse) -> Mapping[str, object]:
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        answer = response.body.decode(errors="replace")
    if response.status != 200:
        raise TokenRefused(
            json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=False), response.status
        )
    if not isinstance(answer, dict) or not all(isinstance(answer.get(key), str) for key in _NEEDED):
        raise TokenRefused("the token endpoint answered 200 without token_type and access_token")
    return answer


_NEEDED: Final = ("token_type", "access_token")


def _life(seconds: object) -> timedelta | None:
    """A token that does not say how long it holds is used once. Some endpoints give the seconds as text."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    return timedelta(seconds=min(seconds, _LONGEST_LIFE))


_LONGEST_LIFE: Final = 365 * 86_400


def _without(result: Result, token: str) -> Result:
    match result:
        case Succeeded():
            return replace(result, data=_data_without(result.data, token))
        case Failed():
            said = result.service_message
            return replace(result, service_message=said and said.replace(token, REDACTED))


def _data_without(data: Json, token: str) -> Json:
    match data:
        case str():
            return data.replace(token, REDACTED)
        case Mapping():
            return {key: _data_without(value, token) for key, value in data.items()}
        case list():
            return [_data_without(item, token) for item in data]
        case _:
            return data


def _form_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
