"""What is set about the way out: addresses and redirects."""

from typing import Annotated

from annotated_types import Ge, Le

from connectory.infra.settings.declaration import SettingsGroup, setting
from connectory.infra.settings.value_types import AddressRange, ListOf


class EgressSettings(SettingsGroup):
    block_private_addresses: bool = setting(
        "connectory.egress.blockPrivateAddresses", False, "Whether calls to addresses that are not public are refused"
    )
    allowed_addresses: ListOf[AddressRange] = setting(
        "connectory.egress.allowedAddresses", (), "Addresses that may be called although they are guarded"
    )
    max_redirects: Annotated[int, Ge(0), Le(21)] = setting(
        "connectory.egress.maxRedirects", 21, "Most redirects followed in one call"
    )
