"""Settings of other parts of Kibana that mean here what they mean there."""

import socket
from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import model_validator

from connectory.infra.settings.declaration import SettingsGroup, computed_setting, setting
from connectory.infra.settings.value_types import ByteSize, EncryptionKey, ListOf, OrUnset, matching

BasePath = Annotated[str, matching("^(/[^/]+)*$", "a path that starts with a slash and does not end with one")]
BaseUrl = Annotated[str, matching("^https?://[^/].*[^/]$", "an http or https URL without a slash at the end")]


class ServerSettings(SettingsGroup):
    name: Annotated[str, MinLen(1)] = computed_setting(
        "server.name", socket.gethostname, "host name", "Sent as `kbn-name` on every response"
    )
    base_path: BasePath = setting(
        "server.basePath", "", "Stands before every path; starts with `/`, does not end with it"
    )
    public_base_url: OrUnset[BaseUrl] = setting(
        "server.publicBaseUrl",
        None,
        "Where users reach the gateway, for links, of which there are none yet; no slash at the end",
    )
    max_payload: ByteSize = setting("server.maxPayload", 1_048_576, "Largest request body")
    restrict_internal_apis: bool = setting(
        "server.restrictInternalApis",
        True,
        "Whether internal routes, of which there are none yet, need `x-elastic-internal-origin`",
    )
    xsrf_allowed_schemes: ListOf[Literal["apikey", "bearer"]] = setting(
        "server.xsrf.allowedSchemes", (), "Schemes whose requests need no `kbn-xsrf`; neither can be used yet"
    )


class EncryptionSettings(SettingsGroup):
    key: EncryptionKey | None = setting(
        "xpack.encryptedSavedObjects.encryptionKey", None, "Seals secrets. Unset: `up` makes one, `serve` refuses"
    )
    decryption_only_keys: ListOf[EncryptionKey] = setting(
        "xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys", (), "Earlier keys, which still open secrets"
    )

    @model_validator(mode="after")
    def _primary_is_not_old(self) -> Self:
        if self.key in self.decryption_only_keys:
            raise ValueError(
                "`keyRotation.decryptionOnlyKeys` cannot contain primary encryption key specified in `encryptionKey`."
            )
        return self
