"""Checked passwords, and the `admin` account of embedded mode."""

import asyncio
from pathlib import Path

import pytest
import yaml
from argon2 import PasswordHasher
from pydantic import SecretStr

from connectory.domain.errors import SettingsInvalid
from connectory.domain.principal import Principal
from connectory.domain.privileges import EVERY_PRIVILEGE
from connectory.infra.password_checks import CHECKS_AT_ONCE, REMEMBERED_AT_MOST, REMEMBERED_SECONDS
from connectory.infra.passwords import verify_password
from connectory.infra.security import (
    Authenticator,
    ensure_admin,
)

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ANN = Principal("ann", frozenset({"superuser"}), EVERY_PRIVILEGE)


class CountedChecks:
    """Makes the slow checks and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, password_hash: str, password: str) -> bool:
        self.made += 1
        return verify_password(password_hash, password)


@pytest.fixture
def checks() -> CountedChecks:
    return CountedChecks()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_users(tmp_path / "security.yml", ann="open sesame", bob="hunter2")


def write_users(path: Path, **passwords: str) -> Path:
    users = {name: {"password_hash": CHEAP.hash(word), "roles": ["superuser"]} for name, word in passwords.items()}
    path.write_text(yaml.safe_dump({"users": users}))
    return path


def write_plain_text_password(path: Path) -> None:
    path.write_text("users: { carl: { password_hash: plain } }")


async def test_the_right_password_gives_the_user_with_its_roles(file: Path) -> None:
    principal = await Authenticator(file).basic("ann", "open sesame")
    assert principal == ANN


@pytest.mark.parametrize(
    ("user", "password"),
    [("ann", "wrong"), ("ann", ""), ("ann", "hunter2"), ("nobody", "open sesame"), ("", ""), ("ann\ud800", "\ud800")],
)
async def test_wrong_credentials_give_nobody(file: Path, user: str, password: str) -> None:
    assert await Authenticator(file).basic(user, password) is None


async def test_an_unknown_user_costs_a_check_like_a_known_one(file: Path, checks: CountedChecks) -> None:
    await Authenticator(file, verify=checks).basic("nobody", "open sesame")
    assert checks.made == 1


async def test_verified_credentials_are_not_checked_again(file: Path, checks: CountedChecks) -> None:
    authenticator = Authenticator(file, verify=checks)
    assert [await authenticator.basic("ann", "open sesame") for _ in range(3)] == [ANN] * 3
    assert checks.made == 1


async def test_remembering_one_password_does_not_let_another_pass(file: Path) -> None:
    authenticator = Authenticator(file)
    await authenticator.basic("ann", "open sesame")
    assert await authenticator.basic("ann", "open sesam") is None
    assert await authenticator.basic("annopen", " sesame") is None


async def test_credentials_are_checked_again_when_the_time_to_remember_is_over(
    file: Path, checks: CountedChecks
) -> None:
    now = 0.0
    authenticator = Authenticator(file, clock=lambda: now, verify=checks)
    await authenticator.basic("ann", "open sesame")
    now = REMEMBERED_SECONDS
    await authenticator.basic("ann", "open sesame")
    assert checks.made == 2


async def test_the_number_of_remembered_credentials_is_bounded(file: Path) -> None:
    checked: list[str] = []

    def pass_all(_hash: str, password: str) -> bool:
        checked.append(password)
        return True

    authenticator = Authenticator(file, verify=pass_all)
    for number in range(REMEMBERED_AT_MOST + 1):
        await authenticator.basic("ann", str(number))
    await authenticator.basic("ann", "0")
    await authenticator.basic("ann", str(REMEMBERED_AT_MOST))
    assert checked[-2:] == [str(REMEMBERED_AT_MOST), "0"]


async def test_many_requests_at_once_with_the_same_credentials_share_a_check(file: Path, checks: CountedChecks) -> None:
    authenticator = Authenticator(file, verify=checks)
    answers = await asyncio.gather(*(authenticator.basic("ann", "open sesame") for _ in range(20)))
    assert answers == [ANN] * 20
    assert checks.made <= CHECKS_AT_ONCE


async def test_reading_the_file_again_forgets_verified_credentials(file: Path) -> None:
    authenticator = Authenticator(file)
    await authenticator.basic("ann", "open sesame")
    write_users(file, ann="new password")
    authenticator.reload()
    assert await authenticator.basic("ann", "open sesame") is None
    assert await authenticator.basic("ann", "new password") == ANN


async def test_a_faulty_new_version_is_refused_as_a_whole_and_the_old_one_stays(file: Path) -> None:
    authenticator = Authenticator(file)
    write_plain_text_password(file)
    with pytest.raises(SettingsInvalid):
        authenticator.reload()
    assert await authenticator.basic("ann", "open sesame") == ANN


async def test_the_first_start_makes_admin_with_a_random_password(tmp_path: Path) -> None:
    account = ensure_admin(tmp_path / "data")
    assert account.created
    assert account.password is not None
    assert account.password_file.read_text().strip() == account.password.get_secret_value()
    authenticator = Authenticator(tmp_path / "data" / "security.yml")
    principal = await authenticator.basic(account.user, account.password.get_secret_value())
    assert principal == Principal("admin", frozenset({"superuser"}), EVERY_PRIVILEGE)


def test_password_and_hash_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ensure_admin(tmp_path)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {
        "admin-password": "0o600",
        "security.yml": "0o600",
    }


def test_later_starts_keep_the_account(tmp_path: Path) -> None:
    first = ensure_admin(tmp_path)
    again = ensure_admin(tmp_path)
    assert (again.created, again.password) == (False, first.password)


async def test_a_password_from_outside_replaces_a_different_one_and_keeps_other_users(file: Path) -> None:
    account = ensure_admin(file.parent, SecretStr("from outside"))
    authenticator = Authenticator(file)
    assert account.password == SecretStr("from outside")
    assert await authenticator.basic("admin", "from outside") is not None
    assert await authenticator.basic("ann", "open sesame") == ANN


def test_the_same_password_from_outside_changes_nothing(tmp_path: Path) -> None:
    ensure_admin(tmp_path, SecretStr("from outside"))
    before = (tmp_path / "security.yml").read_text()
    ensure_admin(tmp_path, SecretStr("from outside"))
    assert (tmp_path / "security.yml").read_text() == before


def test_without_its_file_the_password_is_not_known(tmp_path: Path) -> None:
    ensure_admin(tmp_path).password_file.unlink()
    assert ensure_admin(tmp_path).password is None


def test_no_repr_shows_a_password(tmp_path: Path) -> None:
    account = ensure_admin(tmp_path, SecretStr("from outside"))
    assert "from outside" not in repr(account)
