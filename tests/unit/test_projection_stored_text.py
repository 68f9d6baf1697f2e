"""Any text can be stored."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory_projections.stored_text import from_stored, to_stored

ANY_TEXT = st.text(st.characters(codec=None) | st.sampled_from("\x00\x01\ud800\udfff0a"))


@for_all(ANY_TEXT)
def test_text_comes_back_as_it_was(text: str) -> None:
    assert from_stored(to_stored(text)) == text


@for_all(ANY_TEXT)
def test_stored_text_is_utf_8_without_a_null(text: str) -> None:
    assert b"\x00" not in to_stored(text).encode()


def test_text_that_can_be_stored_stays_as_it_is() -> None:
    assert to_stored("naïve ☃\n") == "naïve ☃\n"
