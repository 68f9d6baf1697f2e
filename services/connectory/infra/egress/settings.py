"""What the operator decides about outgoing calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from connectory.connector_types.contract import VerificationMode
from connectory.infra.egress.proxies import Proxy
from connectory.infra.settings.custom_hosts import CustomHost


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressSettings:
    """`allowed_hosts` holds host names or `*`; `allowed_addresses` holds IP addresses or networks in CIDR form.

    `max_response_content_length` is in bytes, counted after decompression. `custom_hosts` are by their `url`.
    """

    user_agent: str
    allowed_hosts: tuple[str, ...] = ("*",)
    response_timeout: timedelta = timedelta(seconds=60)
    max_response_content_length: int = 1_048_576
    verification_mode: VerificationMode = "full"
    block_private_addresses: bool = False
    allowed_addresses: tuple[str, ...] = ()
    max_redirects: int = 21
    proxy: Proxy | None = None
    custom_hosts: Mapping[str, CustomHost] = field(default_factory=dict)
