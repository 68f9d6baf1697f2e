"""The address guard: which addresses may be dialled under which settings."""

import pytest

from connectory.infra.egress.addresses import METADATA_ADDRESSES, AddressGuard

METADATA = (
    'target address "{0}" of host "a.test" is a cloud metadata address '
    "and is not listed in connectory.egress.allowedAddresses"
)
PRIVATE = (
    'target address "{0}" of host "a.test" is not public and is blocked by connectory.egress.blockPrivateAddresses'
)


@pytest.mark.parametrize(
    "address",
    [
        *sorted(map(str, METADATA_ADDRESSES)),
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:1:1:0:0:5601:5601",
        "169.254.169.254%eth0",
    ],
)
def test_metadata_addresses_are_refused_in_every_form(address: str) -> None:
    assert AddressGuard().check_address(address, "a.test") == METADATA.format(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1", "8.8.8.8", "192.168.1.1"])
def test_anything_else_may_be_dialled_by_default(address: str) -> None:
    assert AddressGuard().check_address(address, "a.test") is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1",
        "224.0.0.1", "239.1.1.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1",
        "240.0.0.1", "192.0.0.8", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "fec0::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "::10.0.0.1", "3fff::1",
        "fe80::1%eth0",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused_where_the_operator_says_so(address: str) -> None:
    assert AddressGuard(block_private=True).check_address(address, "a.test") == PRIVATE.format(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_never_refused(address: str) -> None:
    assert AddressGuard(block_private=True).check_address(address, "a.test") is None


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("169.254.169.254", "169.254.169.254"),
        ("169.254.0.0/16", "::ffff:169.254.169.254"),
        ("127.0.0.1/8", "127.9.9.9"),
        ("fd00:ec2::/64", "fd00:ec2::254"),
    ],
)
def test_a_listed_address_may_be_dialled(allowed: str, address: str) -> None:
    assert AddressGuard([allowed], block_private=True).check_address(address, "a.test") is None


@pytest.mark.parametrize("name", ["metadata.google.internal", "metadata.goog", "METADATA.goog."])
def test_names_of_metadata_services_are_refused_unless_their_address_is_listed(name: str) -> None:
    refusal = AddressGuard().check_name(name)
    guard = AddressGuard(["10.9.9.9"])

    assert refusal is not None
    assert refusal.startswith(f'target address "{name}" of host "{name}" is a cloud metadata address')
    assert guard.check_name(name) is None
    assert guard.check_address("10.9.9.9", name) is None
    assert guard.check_address("8.8.8.8", name) is not None
