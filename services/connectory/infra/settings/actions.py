"""What is set about connectors and their runs, under `xpack.actions.`"""

from datetime import timedelta
from typing import Annotated

from annotated_types import Ge, Le, MinLen
from pydantic import BeforeValidator, Field

from connectory.connector_types.contract import VerificationMode
from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import (
    AllowedHost,
    AtLeast,
    ByteSize,
    Duration,
    ListOf,
    Positive,
    Whole,
    parse_object,
)

Attempts = Annotated[Whole, Ge(1), Le(10)]


class ConnectorTypeOverride(SettingsGroup):
    """Attempts of one connector type; `id` has its leading dot."""

    id: Annotated[str, MinLen(1)]
    max_attempts: Attempts | None = Field(None, validation_alias="maxAttempts")


class ActionsSettings(SettingsGroup):
    allowed_hosts: ListOf[AllowedHost] = setting(
        "xpack.actions.allowedHosts", ("*",), "Hosts that may be called. `*` anywhere allows all, `[]` none"
    )
    enabled_action_types: ListOf[str] = setting(
        "xpack.actions.enabledActionTypes",
        ("*",),
        "Connector types that may be used: `*`, or ids with their leading dot",
    )
    response_timeout: Annotated[Duration, AtLeast(timedelta(milliseconds=1))] = setting(
        "xpack.actions.responseTimeout", timedelta(seconds=60), "For a whole outgoing call; a connector can lengthen it"
    )
    max_response_content_length: ByteSize = setting(
        "xpack.actions.maxResponseContentLength", 1_048_576, "Largest answer of a target, after decompression"
    )
    ssl_verification_mode: VerificationMode = setting(
        "xpack.actions.ssl.verificationMode", "full", "How certificates of targets are checked"
    )
    run_max_attempts: Attempts | None = setting(
        "xpack.actions.run.maxAttempts",
        None,
        "Most attempts of a queued run, the first one included. Unset: what its type says, or 3",
    )
    run_connector_type_overrides: ListOf[Annotated[ConnectorTypeOverride, BeforeValidator(parse_object)]] = setting(
        "xpack.actions.run.connectorTypeOverrides",
        (),
        "Attempts by type: `{id, maxAttempts}`; the first that fits counts, and before `run.maxAttempts`",
    )
    webhook_pfx_enabled: bool = setting(
        "xpack.actions.webhook.ssl.pfx.enabled", True, "Whether webhooks may use PFX client certificates"
    )
    queued_max: Positive = setting(
        "xpack.actions.queued.max",
        1_000_000,
        "With as many requests open, no further ones are taken over HTTP. What is written to Kafka is not bounded",
    )


class OAuthSettings(SettingsGroup):
    authorize_limit: Positive = setting(
        "xpack.actions.auth.oauth_authorization_code.rate_limits.authorize.limit",
        100,
        "Most starts of an OAuth flow by one user within the window",
    )
    authorize_window: Duration = setting(
        "xpack.actions.auth.oauth_authorization_code.rate_limits.authorize.lookbackWindow",
        timedelta(hours=1),
        "That window",
    )
    callback_limit: Positive = setting(
        "xpack.actions.auth.oauth_authorization_code.rate_limits.callback.limit",
        100,
        "Most returns of one user from an OAuth flow within the window",
    )
    callback_window: Duration = setting(
        "xpack.actions.auth.oauth_authorization_code.rate_limits.callback.lookbackWindow",
        timedelta(hours=1),
        "That window",
    )
