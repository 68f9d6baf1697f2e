"""Attempts to reach addresses that must not be reached, over real sockets."""

import pytest

from connectory.connector_types.contract import EgressFailed, EgressRefused, OutgoingRequest
from connectory.infra.egress import EgressSettings, open_egress
from tests.fakes.http_target import Answer, HttpTarget, http_target
from tests.fakes.resolver import FakeResolver

OPEN = EgressSettings(user_agent="x")
CLOSED = EgressSettings(user_agent="x", block_private_addresses=True)


async def refusal(url: str, settings: EgressSettings, names: FakeResolver | None = None) -> str:
    async with open_egress(settings, names or FakeResolver()) as egress:
        with pytest.raises(EgressRefused) as caught:
            await egress.send(OutgoingRequest(method="POST", url=url, body="x"))
    return caught.value.message


async def status(url: str, settings: EgressSettings, names: FakeResolver | None = None) -> int:
    async with open_egress(settings, names or FakeResolver()) as egress:
        return (await egress.send(OutgoingRequest(method="POST", url=url, body="x"))).status


def at(target: HttpTarget, host: str) -> str:
    return target.url.replace("127.0.0.1", host)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("http://2852039166/", "169.254.169.254"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "169.254.169.254"),
        ("http://0251.0376.0251.0376/", "169.254.169.254"),
        ("http://169.254.43518/", "169.254.169.254"),
        ("http://169.254.169.254./", "169.254.169.254"),
        ("http://user:pass@169.254.169.254/", "169.254.169.254"),
        ("http:\\\\169.254.169.254/", "169.254.169.254"),
        ("http://\uff11\uff16\uff19.254.169.254/", "169.254.169.254"),
        ("http://[::ffff:169.254.169.254]/", "::ffff:a9fe:a9fe"),
        ("http://[64:ff9b::169.254.169.254]/", "64:ff9b::a9fe:a9fe"),
        ("http://[2002:a9fe:a9fe::]/", "2002:a9fe:a9fe::"),
        ("https://[fd00:ec2::254]/", "fd00:ec2::254"),
        ("http://100.100.100.200/", "100.100.100.200"),
    ],
)
async def test_a_metadata_address_is_refused_however_it_is_written(url: str, address: str) -> None:
    message = await refusal(url, OPEN)

    assert message.startswith(f'target address "{address}" of host "')
    assert message.endswith("is a cloud metadata address and is not listed in connectory.egress.allowedAddresses")


@pytest.mark.parametrize("host", ["metadata.google.internal", "Metadata.Google.Internal.", "metadata.goog"])
async def test_a_metadata_name_is_refused_without_a_lookup(host: str) -> None:
    names = FakeResolver()

    message = await refusal(f"http://{host}/", OPEN, names)

    assert "is a cloud metadata address" in message
    assert names.asked == []


async def test_a_name_that_leads_to_a_metadata_address_is_refused() -> None:
    message = await refusal("http://a.test/", OPEN, FakeResolver(a_test=[["169.254.169.254", "fd00:ec2::254"]]))

    assert message == (
        'target address "169.254.169.254" of host "a.test" is a cloud metadata address '
        "and is not listed in connectory.egress.allowedAddresses"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1"])
async def test_private_addresses_are_refused_where_the_operator_says_so(host: str) -> None:
    message = await refusal(f"http://{host}:9/", CLOSED)

    assert message.endswith("is not public and is blocked by connectory.egress.blockPrivateAddresses")


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    message = await refusal("http://a.test:9/", CLOSED, FakeResolver(a_test=[["127.0.0.1"]]))

    assert message == (
        'target address "127.0.0.1" of host "a.test" is not public '
        "and is blocked by connectory.egress.blockPrivateAddresses"
    )


async def test_only_the_permitted_addresses_of_a_name_are_dialled() -> None:
    names = FakeResolver(a_test=[["169.254.169.254", "127.0.0.1"]])

    async with http_target() as target:
        assert await status(at(target, "a.test"), OPEN, names) == 200


async def test_an_answer_that_changes_between_two_calls_gets_nowhere() -> None:
    names = FakeResolver(a_test=[["127.0.0.1"], ["169.254.169.254"]])

    async with http_target() as target:
        assert await status(at(target, "a.test"), OPEN, names) == 200
        assert "169.254.169.254" in await refusal(at(target, "a.test"), OPEN, names)
        assert len(target.received) == 1


async def test_a_name_is_looked_up_once_for_a_call() -> None:
    names = FakeResolver(a_test=[["127.0.0.1"], ["169.254.169.254"]])

    async with http_target() as target:
        await status(at(target, "a.test"), OPEN, names)

    assert names.asked == ["a.test"]


@pytest.mark.parametrize("location", ["http://169.254.169.254/", "http://2852039166/", "http://b.test/"])
async def test_a_redirect_to_a_guarded_address_is_refused(location: str) -> None:
    names = FakeResolver(a_test=[["127.0.0.1"]], b_test=[["169.254.169.254"]])

    async with http_target() as target:
        target.answers_with("/", Answer(status=307, headers={"Location": location}))
        assert "is a cloud metadata address" in await refusal(at(target, "a.test"), OPEN, names)


@pytest.mark.parametrize(
    "location",
    ["http://10.0.0.1/", "http://127.0.0.2/", "http://[::ffff:10.0.0.1]", "http://3232235777/", "//b.test"],
)
async def test_a_redirect_to_a_private_address_is_refused_where_the_operator_says_so(location: str) -> None:
    names = FakeResolver(a_test=[["127.0.0.1"]], b_test=[["192.168.1.1"]])
    settings = EgressSettings(user_agent="x", block_private_addresses=True, allowed_addresses=("127.0.0.1",))

    async with http_target() as target:
        target.answers_with("/", Answer(status=307, headers={"Location": location}))
        assert "is not public" in await refusal(at(target, "a.test"), settings, names)
        assert len(target.received) == 1


async def test_a_literal_may_be_dialled_when_it_is_listed_as_an_address_or_as_a_host() -> None:
    by_address = EgressSettings(user_agent="x", block_private_addresses=True, allowed_addresses=("127.0.0.0/8",))
    by_host = EgressSettings(user_agent="x", block_private_addresses=True, allowed_hosts=("127.0.0.1",))

    async with http_target() as target:
        assert await status(target.url, by_address) == 200
        assert await status(target.url, by_host) == 200
        assert await status(at(target, "0x7f.1"), by_host) == 200


async def test_a_star_lists_nothing_explicitly() -> None:
    settings = EgressSettings(user_agent="x", block_private_addresses=True, allowed_hosts=("*", "b.test"))

    assert "is not public" in await refusal("http://127.0.0.1:9/", settings)


async def test_a_host_that_is_not_listed_is_refused_before_anything_is_looked_up() -> None:
    names = FakeResolver()

    message = await refusal("http://u:sentinel@a.test/x", EgressSettings(user_agent="x", allowed_hosts=()), names)

    assert message == 'target url "http://a.test/x" is not added to the Kibana config xpack.actions.allowedHosts'
    assert names.asked == []


async def test_a_name_without_addresses_is_not_found() -> None:
    async with open_egress(OPEN, FakeResolver(a_test=[[]])) as egress:
        with pytest.raises(EgressFailed) as caught:
            await egress.send(OutgoingRequest(method="GET", url="http://a.test/"))

    assert caught.value.error_code == "ENOTFOUND"
