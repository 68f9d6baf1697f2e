"""Who may log in: the account made at the first start, and the file of users."""

import asyncio
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

from connectory.domain.errors import SettingsInvalid
from connectory.infra.oidc import token_verifier
from connectory.infra.security import SECURITY_FILE, AdminAccount, Authenticator, ensure_admin
from connectory.infra.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """`credentials` None: security is switched off. `admin` None: the users are those of a file that was set."""

    credentials: Authenticator | None
    admin: AdminAccount | None = None


async def give_access(settings: Settings, data_dir: Path) -> Access:
    """Read the users, making `admin` in the data directory when no file is set; read them again on SIGHUP.

    Raises `SettingsInvalid`.
    """
    security = settings.security
    if not security.enabled:
        return Access(None)
    admin = None if security.file else ensure_admin(data_dir, security.admin_password)
    credentials = Authenticator(security.file or data_dir / SECURITY_FILE, token_verifier(security))
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, credentials)
    return Access(credentials, admin)


def _reload(credentials: Authenticator) -> None:
    try:
        credentials.reload()
    except SettingsInvalid as error:
        log.warning("the users stay as they were: %s", error)
    else:
        log.info("the users were read again")
