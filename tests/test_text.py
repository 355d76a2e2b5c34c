"""The alphabet of a recogniser, and texts brought down to it with every loss told."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.features import text
from course_utils.features.text import LETTERS, Alphabet


def test_the_classes_of_the_course():
    assert len(LETTERS) == 29 and LETTERS.blank == 28
    assert LETTERS.encode("' az").tolist() == [0, 1, 2, 27]
    assert LETTERS.encode("").dtype == LETTERS.encode("a").dtype == np.int64
    assert LETTERS.symbols[28] == "" and len(LETTERS.symbols) == 29


@given(st.text(LETTERS.characters), st.integers(0, 28))
def test_encode_and_decode_are_a_round_trip_wherever_the_blank_is(written, blank):
    alphabet = Alphabet(LETTERS.characters, blank)
    classes = alphabet.encode(written)
    assert blank not in classes
    assert alphabet.decode(classes) == written


def test_a_character_outside_is_named_with_its_text():
    sentence = r"Found 'é' \(LATIN SMALL LETTER E WITH ACUTE\) at place 3 of 'café'; .* normalise"
    with pytest.raises(ValueError, match=sentence):
        LETTERS.encode("café")


@pytest.mark.parametrize("classes", [[2, 28], [2, 29], [2, -1]])
def test_decode_refuses_what_writes_nothing(classes):
    with pytest.raises(ValueError, match=f"Found class {classes[1]} at place 1; expected .* 28"):
        LETTERS.decode(classes)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("",), "the characters ''"),
        (("abca",), "'abca', with 'a' more than once"),
        (("abc", 4), "blank=4 beside 3 characters; expected a class from 0 to 3"),
        (("abc", -1), "blank=-1"),
    ],
)
def test_an_impossible_alphabet_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Alphabet(*arguments)


@pytest.mark.parametrize(
    ("written", "expected", "dropped"),
    [
        ("IT'S  A\tCAT\n", "it's a cat", {}),
        ("It’s", "it's", {}),
        ("Café, no. 9!", "cafe no", {"\u0301": 1, ",": 1, ".": 1, "9": 1, "!": 1}),
        ("well-known — and/or", "well known and or", {"-": 1, "—": 1, "/": 1}),
        ("ﬁsh Straße", "fish strasse", {}),
        ("猫 猫", "", {"猫": 2}),
        ("", "", {}),
    ],
)
def test_normalise_says_what_it_drops(written, expected, dropped):
    assert text.normalise(written) == (expected, Counter(dropped))


def test_normalise_follows_the_alphabet():
    assert text.normalise("Café 1", Alphabet("CAFÉ 1")) == ("CAFÉ 1", Counter())
    assert text.normalise("a b-a", Alphabet("ab")) == ("aba", Counter({" ": 1, "-": 1}))


@given(st.text())
def test_whatever_is_normalised_can_be_encoded(written):
    found, _ = text.normalise(written)
    assert LETTERS.decode(LETTERS.encode(found)) == found
    assert text.normalise(found) == (found, Counter())


@given(st.text(LETTERS.characters + ",.!9", max_size=30))
def test_nothing_is_lost_untold(written):
    found, dropped = text.normalise(written)
    assert sum(found.count(c) for c in "' ") <= sum(written.count(c) for c in "' ")
    letters = sum(c.isalpha() or c == "'" for c in written)
    assert sum(not c.isspace() for c in found) == letters
    assert dropped.total() == sum(c in ",.!9" for c in written)


def test_dropped_characters_are_named():
    _, dropped = text.normalise("a, b, c.")
    named = "3 characters dropped: 2 times ',' (COMMA), once '.' (FULL STOP)"
    assert text.describe_dropped(dropped) == named
    assert text.describe_dropped(Counter()) == "no character dropped"
    assert re.search(r"'\\x07' \(U\+0007\)", text.describe_dropped(Counter("\x07")))


@pytest.mark.parametrize(
    ("target", "frames"),
    [("hello", 6), ("aa", 3), ("book keeper", 13), ("", 0), ("aaa", 5), ([1, 1, 2], 4)],
)
def test_repeats_need_a_blank_between_them(target, frames):
    assert text.minimum_steps(target) == frames
