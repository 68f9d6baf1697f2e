"""The shape of `security.yml` and the forms of password hashes."""

import hashlib
from base64 import b64encode
from pathlib import Path

import pytest
from argon2 import PasswordHasher, Type

from connectory.domain.errors import SettingsInvalid
from connectory.domain.privileges import Privileges, Right
from connectory.infra.passwords import is_password_hash, verify_password
from connectory.infra.role_levels import BUILT_IN_ROLES
from connectory.infra.security_file import load_security

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("open sesame")


def scrypt_hash(password: str, salt: bytes = b"some salt 123456") -> str:
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**4, r=8, p=1, dklen=32)
    salt_text, key_text = (b64encode(data).decode().rstrip("=") for data in (salt, key))
    return f"$scrypt$ln=4,r=8,p=1${salt_text}${key_text}"


def loading(tmp_path: Path, text: str) -> str:
    """The refusal of a file, without its path."""
    path = tmp_path / "security.yml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid) as refusal:
        load_security(path)
    return refusal.value.message.replace(f"{path}: ", "")


def test_users_and_roles_of_the_documented_shape_are_read(tmp_path: Path) -> None:
    path = tmp_path / "security.yml"
    path.write_text(f"""
users:
  alice: {{ password_hash: "{HASH}", roles: [ops, viewer] }}
  bob: {{ password_hash: "{HASH}" }}
roles:
  ops:
    kibana:
      - {{ spaces: ["*"], feature: {{ actions: [read] }} }}
      - {{ spaces: [marketing, sales], feature: {{ actions: [minimal_all, endpoint_security_execute] }} }}
  all_of_sales:
    kibana:
      - {{ spaces: [sales], base: [all] }}
""")
    users = load_security(path).users
    assert users["alice"].roles == {"ops", "viewer"}
    assert users["bob"].roles == frozenset()
    assert HASH not in repr(users)


def test_a_plain_text_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    message = loading(tmp_path, "users: { alice: { password_hash: hunter2 } }")
    assert message == (
        "[users.alice.password_hash]: must be an argon2id or scrypt hash in PHC format; "
        "plain text passwords are refused"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("users: { alice: {} }", "[users.alice.password_hash]: expected value of type [string] but got [undefined]"),
        ("user: {}", "[user]: definition for this key is missing"),
        ("roles: { viewer: {} }", "built-in roles cannot be redefined: ['viewer']"),
        (
            "roles: { ops: { kibana: [{ spaces: [a] }] } }",
            "[roles.ops.kibana.0]: needs either base or feature, and not both",
        ),
        (
            "roles: { ops: { kibana: [{ spaces: [a], base: [all], feature: { actions: [all] } }] } }",
            "[roles.ops.kibana.0]: needs either base or feature, and not both",
        ),
        (f"users: {{ a: {{ password_hash: '{HASH}', roles: [x] }} }}", "user a has roles that are not defined: ['x']"),
    ],
)
def test_what_breaks_the_shape_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert loading(tmp_path, text) == message


READ = {"see_space", "get", "execute"}
ALL = READ | {"create", "update", "delete"}
SUB_FEATURE = {"see_space", "execute_endpoint_security"}
COPY = {"see_space", "copy_to_spaces"}


@pytest.mark.parametrize(
    ("grant", "rights"),
    [
        ("feature: { actions: [read] }", READ),
        ("feature: { actions: [minimal_read] }", READ),
        ("feature: { actions: [all] }", ALL | SUB_FEATURE),
        ("feature: { actions: [minimal_all] }", ALL),
        ("feature: { actions: [endpoint_security_execute] }", SUB_FEATURE),
        ("feature: { actions: [minimal_read, endpoint_security_execute] }", READ | SUB_FEATURE),
        ("feature: { savedObjectsManagement: [all] }", COPY),
        ("feature: { savedObjectsManagement: [read], discover: [all] }", {"see_space"}),
        ("feature: { actions: [] }", set()),
        ("base: [read]", READ),
        ("base: [all]", ALL | SUB_FEATURE | COPY),
    ],
)
def test_what_the_levels_give_in_the_spaces_of_the_entry_and_nowhere_else(
    tmp_path: Path, grant: str, rights: set[str]
) -> None:
    privileges = role_of(tmp_path, f"[{{ spaces: [red, blue], {grant} }}]")

    assert set(privileges.at("red")) == set(privileges.at("blue")) == rights
    assert privileges.at("green") == frozenset()


def test_entries_add_up_and_the_star_is_for_all_spaces(tmp_path: Path) -> None:
    grants = '[{ spaces: ["*"], feature: { actions: [read] } }, { spaces: [red], base: [all] }]'
    privileges = role_of(tmp_path, grants)

    assert set(privileges.at("green")) == READ
    assert set(privileges.at("red")) == ALL | SUB_FEATURE | COPY


@pytest.mark.parametrize(("spaces", "manages"), [('["*"]', True), ("[red]", False), ('[red, "*"]', True)])
def test_spaces_are_managed_by_whoever_has_everything_in_all_of_them(
    tmp_path: Path, spaces: str, manages: bool
) -> None:
    privileges = role_of(tmp_path, f"[{{ spaces: {spaces}, base: [all] }}]")
    assert ("manage_spaces" in privileges.everywhere_at_once()) is manages


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        ("viewer", READ),
        ("editor", ALL | SUB_FEATURE),
        ("kibana_admin", ALL | SUB_FEATURE | COPY | {"manage_spaces"}),
        ("superuser", set(Right)),
    ],
)
def test_the_built_in_roles(role: str, rights: set[str]) -> None:
    assert set(BUILT_IN_ROLES[role].everywhere_at_once()) == rights


def role_of(tmp_path: Path, grants: str) -> Privileges:
    path = tmp_path / "security.yml"
    path.write_text(f"roles: {{ ops: {{ kibana: {grants} }} }}")
    return load_security(path).roles["ops"]


def test_an_unknown_level_of_the_feature_is_refused(tmp_path: Path) -> None:
    message = loading(tmp_path, "roles: { ops: { kibana: [{ spaces: [a], feature: { actions: [write] } }] } }")
    assert message.startswith("[roles.ops.kibana.0]: feature actions has no privilege ['write']")


def test_a_file_that_is_missing_or_no_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="cannot be read: No such file"):
        load_security(tmp_path / "none.yml")
    assert "is not valid YAML: line 2" in loading(tmp_path, "users: {")


def test_an_scrypt_hash_is_checked() -> None:
    password_hash = scrypt_hash("open sesame")
    assert is_password_hash(password_hash)
    assert verify_password(password_hash, "open sesame")
    assert not verify_password(password_hash, "open sesam")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "$scrypt$ln=4,r=8,p=1$c2FsdA$",
        "$scrypt$ln=30,r=8,p=1$c29tZSBzYWx0$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$ln=4,r=8,p=1$a$AAAAAAAAAAAAAAAAAAAAAA",
        pytest.param(
            PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.I).hash("open sesame"), id="argon2i"
        ),
        pytest.param(HASH.replace("m=8", "m=99999999"), id="too much memory"),
    ],
)
def test_other_and_too_costly_forms_are_no_password_hashes(text: str) -> None:
    assert not is_password_hash(text)
