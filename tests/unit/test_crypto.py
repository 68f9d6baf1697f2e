"""Sealing and opening of secrets."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.domain.errors import EncryptionKeyMissing, SecretsUnreadable, SettingsInvalid
from connectory.domain.json_types import JsonObject
from connectory.domain.secrets import NO_SECRETS, SealedSecrets, WrappedKey
from connectory.infra.crypto import KeyRing, KeyStanding, SecretsVault, ensure_encryption_key, generate_key

OLD, NEW = "o" * 32, "n" * 32
SENTINEL = "sentinel-plain-text"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
secrets = st.dictionaries(st.text(), json_values, max_size=4)


def vault(primary: str | None = NEW, *decryption_only: str) -> SecretsVault:
    return SecretsVault(KeyRing(primary, decryption_only))


@given(connector_id=st.text(), content=secrets)
def test_what_was_sealed_is_what_is_opened(connector_id: str, content: JsonObject) -> None:
    assert vault().open(connector_id, vault().seal(connector_id, content)) == content


def test_sealing_twice_gives_different_ciphertexts_and_data_keys() -> None:
    first, second = (vault().seal("c", {"password": SENTINEL}) for _ in range(2))
    assert first.ciphertexts != second.ciphertexts
    assert first.wrapped_key != second.wrapped_key


def test_the_plain_text_is_in_no_part_of_the_sealed_form() -> None:
    sealed = vault().seal("c", {"password": SENTINEL})
    assert SENTINEL not in repr(sealed)
    assert all(SENTINEL.encode() not in ciphertext for ciphertext in sealed.ciphertexts.values())


@pytest.mark.parametrize("other", ["d", "", "c\x00"])
def test_secrets_put_under_another_connector_cannot_be_opened(other: str) -> None:
    sealed = vault().seal("c", {"password": SENTINEL})
    with pytest.raises(SecretsUnreadable):
        vault().open(other, sealed)


def test_a_ciphertext_put_into_another_field_cannot_be_opened() -> None:
    sealed = vault().seal("c", {"user": "somebody", "password": SENTINEL})
    swapped = {"user": sealed.ciphertexts["password"], "password": sealed.ciphertexts["user"]}
    with pytest.raises(SecretsUnreadable):
        vault().open("c", replace(sealed, ciphertexts=swapped))


def test_a_ciphertext_of_another_seal_of_the_same_connector_cannot_be_opened() -> None:
    sealed, earlier = (vault().seal("c", {"password": SENTINEL}) for _ in range(2))
    with pytest.raises(SecretsUnreadable):
        vault().open("c", replace(sealed, ciphertexts=earlier.ciphertexts))


@given(data=st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    sealed = vault().seal("c", {"password": SENTINEL})
    assert sealed.wrapped_key is not None
    in_wrapped_key = data.draw(st.booleans())
    original = sealed.wrapped_key.ciphertext if in_wrapped_key else sealed.ciphertexts["password"]
    flipped = _flip(original, data.draw(st.integers(0, 8 * len(original) - 1)))
    damaged = (
        replace(sealed, wrapped_key=replace(sealed.wrapped_key, ciphertext=flipped))
        if in_wrapped_key
        else replace(sealed, ciphertexts={"password": flipped})
    )
    with pytest.raises(SecretsUnreadable):
        vault().open("c", damaged)


@given(length=st.integers(0, 40))
def test_a_ciphertext_that_was_cut_is_refused(length: int) -> None:
    sealed = vault().seal("c", {"password": SENTINEL})
    cut = replace(sealed, ciphertexts={"password": sealed.ciphertexts["password"][:length]})
    with pytest.raises(SecretsUnreadable, match=r'^Unable to decrypt attribute "secrets"$'):
        vault().open("c", cut)


def test_a_key_that_was_replaced_still_opens_as_decryption_only() -> None:
    sealed = vault(OLD).seal("c", {"password": SENTINEL})
    assert vault(NEW, "x" * 32, OLD).open("c", sealed) == {"password": SENTINEL}


def test_a_data_key_that_is_wrapped_anew_opens_the_same_secrets_without_the_old_key() -> None:
    sealed = vault(OLD).seal("c", {"password": SENTINEL})
    assert sealed.wrapped_key
    rewrapped = replace(sealed, wrapped_key=vault(NEW, OLD).rewrap("c", sealed.wrapped_key))
    assert vault(NEW).open("c", rewrapped) == {"password": SENTINEL}
    with pytest.raises(SecretsUnreadable):
        vault(OLD).open("c", rewrapped)


def test_no_data_key_is_wrapped_anew_for_another_connector_or_without_its_key() -> None:
    sealed = vault(OLD).seal("c", {"password": SENTINEL})
    assert sealed.wrapped_key
    for keys, connector_id in ((vault(NEW, OLD), "d"), (vault(NEW), "c")):
        with pytest.raises(SecretsUnreadable):
            keys.rewrap(connector_id, sealed.wrapped_key)


def test_keys_are_told_apart_by_their_ids() -> None:
    ids = [vault(key).key_id for key in (NEW, OLD, "x" * 32)]
    standings = [vault(NEW, OLD).standing(key_id) for key_id in ids]
    assert standings == [KeyStanding.PRIMARY, KeyStanding.OLD, KeyStanding.UNKNOWN]


def test_sealing_always_uses_the_primary_key() -> None:
    sealed = vault(NEW, OLD).seal("c", {"password": SENTINEL})
    assert vault(NEW).open("c", sealed) == {"password": SENTINEL}
    assert sealed.wrapped_key is not None
    assert sealed.wrapped_key.key_id == KeyRing(NEW).primary_id != KeyRing(OLD).primary_id


def test_the_cause_of_unreadable_secrets_is_logged_without_their_content(caplog: pytest.LogCaptureFixture) -> None:
    sealed = vault(OLD).seal("c", {"password": SENTINEL})
    with caplog.at_level(logging.ERROR), pytest.raises(SecretsUnreadable):
        vault(NEW).open("c", sealed)
    assert caplog.messages[0].startswith('Failed to decrypt "secrets" attribute: no configured key opens connector [c]')


def test_secrets_without_their_data_key_are_unreadable() -> None:
    sealed = vault().seal("c", {"password": SENTINEL})
    with pytest.raises(SecretsUnreadable):
        vault().open("c", SealedSecrets(sealed.ciphertexts, None))


def test_no_fields_are_no_secrets_and_open_under_any_key() -> None:
    assert vault(OLD).seal("c", {}) == NO_SECRETS
    assert vault(NEW).open("c", NO_SECRETS) == {}


def test_without_a_primary_key_sealing_says_which_setting_is_missing() -> None:
    with pytest.raises(EncryptionKeyMissing) as refusal:
        vault(None, OLD).seal("c", {"password": SENTINEL})
    assert refusal.value.message == (
        "Unable to create actions client because the Encrypted Saved Objects plugin is missing encryption key. "
        "Please set xpack.encryptedSavedObjects.encryptionKey in the kibana.yml "
        "or use the bin/kibana-encryption-keys command."
    )


def test_without_any_key_opening_says_so() -> None:
    with pytest.raises(EncryptionKeyMissing, match=r"^Unable to execute action because"):
        vault(None).open("c", SealedSecrets({}, WrappedKey("k", b"")))


def test_a_short_key_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        KeyRing("short-key")
    assert "short-key" not in refusal.value.message


def test_keys_show_themselves_nowhere() -> None:
    ring = KeyRing(NEW, [OLD])
    assert NEW not in f"{ring.primary!r}{ring.reading!r}"
    assert NEW.encode().hex() not in (ring.primary_id or "")


def test_the_key_of_a_data_directory_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = ensure_encryption_key(tmp_path / "data")
    assert ensure_encryption_key(tmp_path / "data") == first
    assert (tmp_path / "data" / "encryption-key").stat().st_mode & 0o777 == 0o600
    assert KeyRing(first).primary_id


def test_an_emptied_key_file_is_refused_rather_than_replaced(tmp_path: Path) -> None:
    (tmp_path / "encryption-key").write_text("")
    with pytest.raises(SettingsInvalid, match="restore it from a backup"):
        ensure_encryption_key(tmp_path)


def test_generated_keys_are_long_enough_and_differ() -> None:
    assert len(generate_key()) >= 32
    assert generate_key() != generate_key()


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
