"""Who may call: the users' file, the first account, tokens of an identity provider, and what is written down of it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from annotated_types import MinLen
from pydantic import SecretStr, model_validator

from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import Duration, ListOf, OrUnset

SigningAlgorithm: TypeAlias = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""By public keys only. `none` and HMAC can not be allowed: with the latter whoever can check a token can make one."""


class SecuritySettings(SettingsGroup):
    enabled: bool = setting(
        "connectory.security.enabled", True, "`false`: every caller is a superuser. Only with a loopback `http.host`"
    )
    file: OrUnset[Path] = setting(
        "connectory.security.file", None, "Users and roles. Unset: `security.yml` in the data directory"
    )
    audit_enabled: bool = setting(
        "xpack.security.audit.enabled", True, "Whether changes, runs and every denial are written to the audit log"
    )
    audit_reads: bool = setting("connectory.audit.reads", False, "Whether reads are written to it too")
    oidc_issuer: OrUnset[str] = setting(
        "connectory.security.oidc.issuer", None, "`iss` of the tokens that are taken. Unset: none are"
    )
    oidc_audience: OrUnset[str] = setting("connectory.security.oidc.audience", None, "What their `aud` must name")
    oidc_jwks: OrUnset[str] = setting(
        "connectory.security.oidc.jwks", None, "Where the keys are that sign them: a URL, or a file"
    )
    oidc_algorithms: Annotated[ListOf[SigningAlgorithm], MinLen(1)] = setting(
        "connectory.security.oidc.algorithms", ("RS256", "ES256"), "How they may be signed"
    )
    oidc_clock_skew: Duration = setting(
        "connectory.security.oidc.clockSkew", timedelta(seconds=60), "How far the provider's clock may be off"
    )
    oidc_username_claim: Annotated[str, MinLen(1)] = setting(
        "connectory.security.oidc.usernameClaim", "sub", "The claim that names the caller"
    )
    oidc_roles_claim: Annotated[str, MinLen(1)] = setting(
        "connectory.security.oidc.rolesClaim",
        "roles",
        "The claim with roles of the security file; dots lead into objects, as in `realm_access.roles`",
    )
    admin_password: OrUnset[SecretStr] = setting(
        "connectory.admin.password",
        None,
        "Password of `admin`. Unset: `up` makes one, kept in the data directory; `serve` needs a file of users",
    )

    @model_validator(mode="after")
    def _provider_is_complete(self) -> Self:
        told = [self.oidc_issuer, self.oidc_audience, self.oidc_jwks]
        if any(told) and not all(told):
            raise ValueError("[connectory.security.oidc]: issuer, audience and jwks are needed together")
        return self
