"""Said over written: alignment, marks without colour, a table and its twin in plain text."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import metrics
from course_utils.plots import transcripts
from course_utils.plots.transcripts import aligned_words

SAID, WRITTEN = "the cat sat on the mat", "the cat sit on mat"
WORDS = st.lists(st.sampled_from(["a", "bb", "<c>", "d"]), max_size=12).map(" ".join)


def test_words_stand_under_one_another():
    assert repr(aligned_words(SAID, WRITTEN)) == (
        "6 words said: 1 substituted (S), 1 deleted (D), 0 inserted (I)\n"
        "said     the cat sat on the mat\n"
        "written  the cat sit on –   mat\n"
        "error            S      D"
    )


def test_a_table_marks_errors_by_form():
    html = aligned_words("the cat sat", "a the cut")._repr_html_()
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in html.split("<tr>")[1:]]
    assert cells == [
        ["–", "the", "<mark>cat</mark>", "<del>sat</del>"],
        ["<ins>a</ins>", "the", "<mark>cut</mark>", "–"],
        ["I", "", "S", "D"],
    ]
    assert re.findall(r'<th scope="row"[^>]*>(\w+)</th>', html) == ["said", "written", "error"]
    assert "<figcaption>3 words said: 1 substituted (S), 1 deleted (D), 1 inserted (I)" in html
    assert "color" not in html


def test_what_looks_like_html_is_text():
    html = aligned_words("<b>", "<i>")._repr_html_()
    assert "<mark>&lt;b&gt;</mark>" in html and "<mark>&lt;i&gt;</mark>" in html


@given(WORDS, WORDS)
def test_nothing_is_lost_and_errors_are_those_of_the_rate(said, written):
    columns = aligned_words(said, written).columns
    for place, text in enumerate((said, written)):
        assert " ".join(c[place] for c in columns if c[place] != "–") == text
    assert all((one == other) == (mark == "") for one, other, mark in columns)
    if said:
        counts = metrics.word_errors(said, written)
        marks = Counter(mark for *_, mark in columns)
        expected = (counts.substitutions, counts.deletions, counts.insertions, counts.hits)
        assert tuple(marks[mark] for mark in ("S", "D", "I", "")) == expected


@given(WORDS, WORDS)
def test_the_twin_says_what_the_table_says(said, written):
    found = aligned_words(said, written)
    text = re.sub(r"<[^>]+>", " ", found._repr_html_()).replace("&lt;", "<").replace("&gt;", ">")
    assert text.split() == repr(found).split()


def test_long_utterances_take_several_lines():
    said = " ".join(["seven77"] * 25)
    found = aligned_words(said, said)
    lines = repr(found).splitlines()
    assert len(lines) == 1 + 3 * 3 and found._repr_html_().count("<table>") == 3
    assert max(map(len, lines)) <= 9 + transcripts._LINE
    assert len(aligned_words("x" * 200, "y").columns) == 1, "a long word has a line of its own"


@pytest.mark.parametrize(
    ("said", "written", "columns"),
    [
        ("", "", ()),
        ("  ", "", ()),
        ("", "a b", (("–", "a", "I"), ("–", "b", "I"))),
        ("a", "", (("a", "–", "D"),)),
        (" a  b ", "a   B", (("a", "a", ""), ("b", "B", "S"))),
    ],
)
def test_silence_and_spaces(said, written, columns):
    found = aligned_words(said, written)
    assert found.columns == columns
    assert repr(found).splitlines()[0] in found._repr_html_()


def test_one_word_is_one_word():
    assert aligned_words("a", "a").summary.startswith("1 word said: 0 substituted")


@pytest.mark.parametrize(
    ("said", "written", "sentence"),
    [
        (None, "a", "Found None as reference; expected a string; align the utterances of a list"),
        ("a", ["a"], r"Found \['a'\] as hypothesis; expected a string"),
    ],
)
def test_what_is_no_text_is_refused(said, written, sentence):
    with pytest.raises(ValueError, match=sentence):
        aligned_words(said, written)
