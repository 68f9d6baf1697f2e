"""Bodies and queries of the OAuth routes. An object that is not given is an empty one: its keys are what is missing."""

from typing import Annotated, Any, Literal

from pydantic import Field

from connectory.gateway.validation import Schema, one_of


class ClientConfig(Schema):
    client_id: str = Field(alias="clientId")


class ClientSecrets(Schema):
    client_secret: str = Field(alias="clientSecret", repr=False)


class ClientOptions(Schema):
    """Client credentials."""

    token_url: str = Field(alias="tokenUrl")
    scope: str
    config: ClientConfig = Field(default_factory=dict, validate_default=True)
    secrets: ClientSecrets = Field(default_factory=dict, validate_default=True, repr=False)


class JwtConfig(Schema):
    client_id: str = Field(alias="clientId")
    jwt_key_id: str = Field(alias="jwtKeyId")
    user_identifier_value: str = Field(alias="userIdentifierValue")


class JwtSecrets(Schema):
    client_secret: str = Field(alias="clientSecret", repr=False)
    private_key: str = Field(alias="privateKey", repr=False)
    private_key_password: str | None = Field(None, alias="privateKeyPassword", repr=False)


class JwtOptions(Schema):
    """A signed assertion."""

    token_url: str = Field(alias="tokenUrl")
    config: JwtConfig = Field(default_factory=dict, validate_default=True)
    secrets: JwtSecrets = Field(default_factory=dict, validate_default=True, repr=False)


class TokenRequest(Schema):
    """`options` are as `type` wants them: `ClientOptions` or `JwtOptions`."""

    type: Annotated[Literal["jwt", "client"], one_of("jwt", "client")]
    options: dict[str, Any] = Field(default_factory=dict, repr=False)


class FlowStart(Schema):
    return_url: str | None = Field(None, alias="returnUrl")


class FlowEnd(Schema):
    state: str


class CallbackQuery(Schema):
    code: str | None = None
    state: str | None = None
    error: str | None = None
    error_description: str | None = None
