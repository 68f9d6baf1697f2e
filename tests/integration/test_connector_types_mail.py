"""`.email` through a real mail server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from connectory.connector_types.contract import TypeSettings
from connectory.connector_types.registry import TypeRegistry
from connectory.domain.execution import Failed, Result, Succeeded
from connectory.infra.egress import AllowedHosts, EgressSettings, open_egress
from tests.connector_runs import run_action
from tests.fakes.mail_server import PASSWORD, USER, FakeMailServer, for_ever, mail_server
from tests.fakes.tls import server_tls

LOGIN = {"user": USER, "password": PASSWORD}
SOON = timedelta(milliseconds=300)
types = TypeRegistry(settings=TypeSettings(hosts=AllowedHosts(["*"])))


async def send(
    server: FakeMailServer,
    params: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
    within: timedelta = timedelta(seconds=60),
    **config: Any,
) -> Result:
    mode = config.pop("mode", "none")
    settings = EgressSettings(user_agent="test", verification_mode=mode, response_timeout=within)
    async with open_egress(settings) as egress:
        return await run_action(
            types,
            ".email",
            {"to": ["Me <me@a.test>"], "subject": "s", "message": "**hi**", **(params or {})},
            config={
                "host": "127.0.0.1",
                "port": server.port,
                "from": "Ops <ops@a.test>",
                "hasAuth": secrets is not None,
                **config,
            },
            secrets=secrets or {},
            egress=egress,
        )


async def test_a_mail_arrives_as_text_and_as_html() -> None:
    async with mail_server() as server:
        result = await send(server, {"cc": ["c@a.test"], "bcc": ["b@a.test"], "replyTo": ["r@a.test"]})

    mail = server.only_mail()
    assert isinstance(result, Succeeded)
    assert (mail["From"], mail["To"], mail["Cc"], mail["Bcc"]) == (
        "Ops <ops@a.test>",
        "Me <me@a.test>",
        "c@a.test",
        None,
    )
    assert (mail["Subject"], mail["Reply-To"]) == ("s", "r@a.test")
    text, html = (mail.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["**hi**", "", "---", "", "This message was sent by Elastic."]
    assert "<strong>hi</strong>" in html.get_content()


async def test_the_result_tells_who_got_it() -> None:
    async with mail_server(refuses=frozenset({"c@a.test"})) as server:
        result = await send(server, {"cc": ["c@a.test"], "bcc": ["b@a.test", "b@a.test"]})

    assert isinstance(result, Succeeded)
    data: Any = result.data
    assert (data["accepted"], data["rejected"]) == (["me@a.test", "b@a.test"], ["c@a.test"])
    assert data["envelope"] == {"from": "ops@a.test", "to": ["me@a.test", "c@a.test", "b@a.test"]}
    assert data["messageId"] == server.only_mail()["Message-ID"]
    assert "taken" in data["response"]


@pytest.mark.parametrize("secure", [False, True])
async def test_tls_is_used_where_it_is_offered_and_users_are_proved(secure: bool) -> None:
    async with mail_server(tls=server_tls("127.0.0.1"), secure=secure) as server:
        result = await send(server, secrets=LOGIN, secure=secure)

    assert isinstance(result, Succeeded)
    ((_, session),) = server.mails
    assert (session.ssl is not None or secure, session.authenticated) == (True, True)


async def test_a_wrong_password_is_a_failure() -> None:
    async with mail_server() as server:
        result = await send(server, secrets={**LOGIN, "password": "wrong-one"})

    assert isinstance(result, Failed)
    assert result.message == "error sending email"
    assert (result.service_message or "").startswith("535 5.7.8")


async def test_a_certificate_that_nobody_vouches_for_is_refused_where_there_is_something_to_lose() -> None:
    async with mail_server(tls=server_tls("127.0.0.1")) as server:
        refused = await send(server, secrets=LOGIN, mode="full")
        taken = await send(server, mode="full")

    assert isinstance(refused, Failed)
    assert "certificate verify failed" in (refused.service_message or "")
    assert isinstance(taken, Succeeded)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"refuses": frozenset({"me@a.test"})}, "me@a.test: 550 5.1.1 nobody here"),
        ({"broken": "554 5.7.1 spam"}, "554 5.7.1 spam"),
    ],
)
async def test_a_refusal_says_what_the_server_said(options: dict[str, Any], told: str) -> None:
    async with mail_server(**options) as server:
        result = await send(server)

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error sending email", told)


async def test_a_server_that_is_not_there_certainly_got_nothing() -> None:
    async with mail_server() as server:
        pass
    result = await send(server)

    assert isinstance(result, Failed)
    assert result.undelivered
    assert "ECONNREFUSED" in (result.service_message or "")


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"silent": True}, {}),
        ({"silent": True}, {"secure": True}),
        ({"waits": {"MAIL": for_ever}}, {}),
        ({"waits": {"RCPT": for_ever}}, {}),
        ({"waits": {"DATA": for_ever}}, {}),
    ],
)
async def test_a_server_that_goes_silent_is_given_up_on(options: dict[str, Any], config: dict[str, Any]) -> None:
    async with mail_server(**options) as server:
        result = await send(server, within=SOON, **config)

    assert isinstance(result, Failed)
    assert (result.message, result.service_message) == ("error sending email", "timeout of 300ms exceeded")
    assert not result.undelivered


Passing = Callable[[int], Callable[[], Awaitable[None]]]


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Passing:
    """So many seconds pass on the loop's clock. It stays forward: for a test with a loop of its own."""

    def passing(seconds: int) -> Callable[[], Awaitable[None]]:
        async def pass_() -> None:
            loop = asyncio.get_running_loop()
            clock = loop.time
            monkeypatch.setattr(loop, "time", lambda: clock() + seconds)
            await asyncio.sleep(0)  # for what is due by then

        return pass_

    return passing


@pytest.mark.asyncio(loop_scope="function")
async def test_a_server_may_take_all_the_time_there_is(passing: Passing) -> None:
    async with mail_server(waits={"DATA": passing(90)}) as server:
        result = await send(server, within=timedelta(seconds=120))

    assert isinstance(result, Succeeded)


@pytest.mark.asyncio(loop_scope="function")
async def test_the_time_is_for_all_answers_together(passing: Passing) -> None:
    async with mail_server(waits={"MAIL": passing(50), "RCPT": passing(50), "DATA": passing(50)}) as server:
        result = await send(server, within=timedelta(seconds=120))

    assert result == Failed(message="error sending email", service_message="timeout of 120000ms exceeded")


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("broken", [None, "554 5.7.1 spam"])
async def test_the_answer_to_a_mail_counts_though_the_goodbye_has_none(broken: str | None, passing: Passing) -> None:
    async def goes_silent() -> None:
        await passing(60)()
        await for_ever()

    async with mail_server(broken=broken, waits={"QUIT": goes_silent}) as server:
        result = await send(server, within=timedelta(seconds=60))

    assert (result.service_message if isinstance(result, Failed) else None) == broken
