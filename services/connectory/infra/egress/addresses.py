"""Which addresses may be dialled. Judged on the very address that is about to be connected to.

Cloud metadata addresses are never dialled unless the operator lists them; addresses that are not public are refused
when the operator says so. An IPv4 address inside an IPv6 one is judged as well.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

METADATA_ADDRESSES: Final = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ),
    )
)
METADATA_NAMES: Final = frozenset({"metadata.google.internal", "metadata.goog"})

_NOT_PUBLIC: Final = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10")))
"""Ranges that not every supported Python knows as not global."""
_COMPATIBLE: Final = IPv6Network("::/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressGuard:
    """The operator's rules for addresses. Names a refusal in words, or None."""

    def __init__(self, allowed: Iterable[str] = (), *, block_private: bool = False) -> None:
        self._allowed = tuple(ip_network(entry, strict=False) for entry in allowed)
        self._block_private = block_private

    def check_name(self, host: str) -> str | None:
        """Refuse the names of metadata services before they are looked up, unless some address is listed."""
        return _metadata_text(host, host) if is_metadata_name(host) and not self._allowed else None

    def check_unresolved(self, host: str) -> str | None:
        """Refuse the names of metadata services where somebody else looks them up, whatever is listed."""
        return _metadata_text(host, host) if is_metadata_name(host) else None

    def check_address(self, text: str, host: str) -> str | None:
        """Judge an address, given without brackets, that `host` stands for."""
        address = _dialled(text)
        if self._lists(address):
            return None
        reached = (address, *_inner(address))
        if is_metadata_name(host) or any(each in METADATA_ADDRESSES for each in reached):
            return _metadata_text(text, host)
        if self._block_private and not all(is_public(each) for each in reached):
            return (
                f'target address "{text}" of host "{host}" is not public '
                "and is blocked by connectory.egress.blockPrivateAddresses"
            )
        return None

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)


def is_metadata_name(host: str) -> bool:
    return host.rstrip(".").lower() in METADATA_NAMES


def is_public(address: Address) -> bool:
    """Whether the address is one that anybody may be reached at: unicast, and global by the registries."""
    if not address.is_global or address.is_multicast or any(address in network for network in _NOT_PUBLIC):
        return False
    return not address.is_reserved or address in _NAT64


def _dialled(text: str) -> Address:
    """The address that the kernel connects to: a mapped address is an IPv4 one, and a zone changes nothing."""
    address = ip_address(text.partition("%")[0])
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _inner(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to through a translator or a tunnel."""
    if isinstance(address, IPv4Address):
        return
    if address in _COMPATIBLE or address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo


def _metadata_text(address: str, host: str) -> str:
    return (
        f'target address "{address}" of host "{host}" is a cloud metadata address '
        "and is not listed in connectory.egress.allowedAddresses"
    )
