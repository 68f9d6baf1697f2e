"""A flood of wrong passwords: most are turned away at once, and those who are logged in do not notice it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from argon2 import PasswordHasher

from connectory.infra.password_checks import WAITING_AT_MOST
from connectory.infra.passwords import verify_password
from connectory.infra.security import Authenticator
from tests.http_gateway import HttpGateway, basic, http_gateway
from tests.unit.installation import Installation
from tests.waiting import until

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANN = basic("ann", "open sesame")
TOO_MANY = "Too many logins are being checked at the moment. Try again in a few seconds."
SUBJECTS = "/subjects"


@pytest.fixture
def released() -> threading.Event:
    """Until it is set no check of a password ends."""
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
async def gateway(tmp_path: Path, released: threading.Event) -> AsyncIterator[HttpGateway]:
    def verify(password_hash: str, password: str) -> bool:
        released.wait(20.0)
        return verify_password(password_hash, password)

    file = tmp_path / "security.yml"
    passwords = {"ann": "open sesame", "admin": "pässword"}
    users = {name: {"password_hash": CHEAP.hash(password)} for name, password in passwords.items()}
    file.write_text(yaml.safe_dump({"users": users}))
    installation = await Installation().create_topics()
    async with http_gateway(installation, users=Authenticator(file, verify=verify), roles=False) as gateway:
        yield gateway


async def test_a_flood_is_turned_away_and_those_who_are_logged_in_go_on(
    gateway: HttpGateway, released: threading.Event
) -> None:
    assert (await gateway.get(SUBJECTS, auth=ANN)).status == 200
    released.clear()
    guesses = [gateway.get(SUBJECTS, auth=basic(f"user{number}", "guess")) for number in range(WAITING_AT_MOST + 200)]
    flood = [asyncio.create_task(guess) for guess in guesses]
    await until(lambda: sum(task.done() for task in flood) >= 200)

    assert (await gateway.get(SUBJECTS, auth=ANN)).status == 200
    assert {(task.result().status, task.result().message) for task in flood if task.done()} == {(429, TOO_MANY)}
    released.set()
    answers = await asyncio.gather(*flood)
    assert sorted(answer.status for answer in answers) == [401] * WAITING_AT_MOST + [429] * 200
