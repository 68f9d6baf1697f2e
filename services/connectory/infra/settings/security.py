"""Who may call: the users' file, the first account, tokens of an identity provider, and what is written down of it."""

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
    audit_enabled: bool = setting(
        "xpack.security.audit.enabled", True, "Whether changes, runs and every denial are written to the audit log"
    )
    audit_reads: bool = setting("connectory.audit.reads", False, "Whether reads are written to it too")
    admin_password: OrUnset[SecretStr] = setting(
        "connectory.admin.password",
        None,
        "Password of `admin` in `up`. Unset: a random one, kept in the data directory",
    )
