"""Who may call: the users' file, the first account, and whether anyone is asked at all."""

from pathlib import Path

from pydantic import SecretStr

from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import OrUnset


class SecuritySettings(SettingsGroup):
    enabled: bool = setting(
        "connectory.security.enabled", True, "`false`: every caller is a superuser. Only with a loopback `http.host`"
    )
    file: OrUnset[Path] = setting(
        "connectory.security.file", None, "Users and roles. Unset: `security.yml` in the data directory"
    )
    admin_password: OrUnset[SecretStr] = setting(
        "connectory.admin.password",
        None,
        "Password of `admin` in `up`. Unset: a random one, kept in the data directory",
    )
