"""The order of names."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from connectory_projections.collation import collation_key, name_sort_key


def test_the_documented_example_is_in_order() -> None:
    names = ["_x", "-y", "#ops", "10th", "2nd", "alpha", "Alpha", "epee", "épée", "Epic", "Zulu"]

    keys = [name_sort_key(name) for name in names]
    assert sorted(set(keys)) == keys


def test_the_characters_of_ascii_are_in_the_documented_order() -> None:
    characters = list(" _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$09aAzZ")

    keys = [name_sort_key(character) for character in characters]
    assert sorted(set(keys)) == keys


def test_accents_weigh_more_than_case() -> None:
    assert name_sort_key("RESUME") < name_sort_key("résumé")


@for_all(st.text(), st.text(min_size=1))
def test_every_string_has_a_place_and_none_comes_before_its_beginning(name: str, more: str) -> None:
    assert name_sort_key(name) <= name_sort_key(name + "a" + more)


@for_all(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_gives_the_key_of_the_algorithm(name: str) -> None:
    assert name_sort_key(name) == collation_key(name)
