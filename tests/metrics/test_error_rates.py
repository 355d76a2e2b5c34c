"""Word and character error rates: golden counts, an edit distance written out, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import metrics

REFERENCES = ["the cat sat on the mat", "hello world", "a", "i like python"]
HYPOTHESES = ["the cat sit on mat", "hello duck", "a b c", ""]


def distance(one: list, other: list) -> int:
    """Levenshtein's, row by row."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def test_golden_counts():
    found = metrics.word_errors(REFERENCES, HYPOTHESES)
    edits = (found.substitutions, found.deletions, found.insertions, found.hits)
    assert edits == (2, 4, 2, 6) and found.errors == 8 and found.n == 12
    assert found.table.tolist() == [[1, 1, 0, 4], [1, 0, 0, 1], [0, 0, 2, 1], [0, 3, 0, 0]]
    assert metrics.word_error_rate(REFERENCES, HYPOTHESES) == found.rate == pytest.approx(8 / 12)
    characters = metrics.character_error_rate(REFERENCES, HYPOTHESES)
    assert characters == pytest.approx(27 / 47) == pytest.approx(0.574468, abs=1e-6)
    assert metrics.character_errors(REFERENCES, HYPOTHESES).n == 47


def test_the_trap_of_the_mean_over_utterances():
    found = metrics.word_errors(REFERENCES, HYPOTHESES)
    assert found.per_utterance_mean == pytest.approx(0.9583, abs=1e-4)
    assert found.per_utterance_mean > found.rate


texts = st.text("ab ", max_size=8)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_the_counts_are_the_edit_distance(pairs):
    references, hypotheses = zip(*pairs, strict=True)
    if not "".join(references).strip():
        with pytest.raises(ValueError, match="no words in"):
            metrics.word_errors(references, hypotheses)
        return
    for measure, cut in (
        (metrics.word_errors, str.split),
        (metrics.character_errors, lambda text: list(text.strip())),
    ):
        found = measure(references, hypotheses)
        expected = [distance(cut(r), cut(h)) for r, h in pairs]
        assert found.table[:, :3].sum(axis=1).tolist() == expected
        assert found.n == sum(len(cut(r)) for r in references)
        assert found.hits + found.substitutions + found.insertions == sum(
            len(cut(h)) for h in hypotheses
        )
        assert found.rate == pytest.approx(sum(expected) / found.n)


def test_an_empty_reference_adds_insertions_and_no_words():
    found = metrics.word_errors(["", "a b"], ["c d", "a b"])
    assert (found.insertions, found.n, found.rate) == (2, 2, 1.0)
    assert found.per_utterance_mean == 1.0


def test_any_whitespace_divides_words():
    assert (
        metrics.word_errors("a b", "a\nb").errors
        == metrics.word_errors(["a\tb"], ["a  b"]).errors
        == 0
    )


def test_case_counts_and_spaces_do_not():
    assert metrics.word_error_rate(["Hello"], ["hello"]) == 1
    assert metrics.word_error_rate(["a  b "], [" a b"]) == 0
    assert metrics.word_error_rate("a b", "a c") == 0.5
    assert metrics.word_error_rate(["a"], ["b c d"]) == 3
    assert metrics.character_error_rate(["a b"], ["ab"]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("references", "hypotheses", "sentence"),
    [
        (["a", "b"], ["a"], "2 references and 1 hypotheses; expected as many of both"),
        ([], [], "0 references and 0 hypotheses; expected .* at least one"),
        (["a", None], ["a", "b"], "None as reference 1; expected a string"),
        (["a"], [3], "3 as hypothesis 0; expected a string"),
        (["", " "], ["a", "b"], "no words in 2 references; .* count insertions in silence apart"),
    ],
)
def test_what_has_no_rate_is_told(references, hypotheses, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.word_error_rate(references, hypotheses)
    with pytest.raises(ValueError, match=sentence.replace("words", "characters")):
        metrics.character_error_rate(references, hypotheses)


def simulated(seed: int, share: float, utterances: int = 200) -> tuple[list[str], list[str]]:
    """Ten words each, every one of them misheard with the same chance."""
    wrong = np.random.default_rng(seed).random((utterances, 10)) < share
    heard = [" ".join("b" if w else "a" for w in row) for row in wrong]
    return ["a " * 10] * utterances, heard


def test_the_interval_is_that_of_the_corpus_rate():
    """Errors here fall independently, so that Wilson's interval of the words is right as well."""
    found = metrics.word_errors(*simulated(0, 0.2))
    low, high = found.interval(np.random.default_rng(0))
    assert low < found.rate < high
    assert (low, high) == pytest.approx(metrics.wilson(found.errors, found.n), abs=0.006)
    again = found.interval(np.random.default_rng(0))
    assert again == (low, high) != found.interval(np.random.default_rng(1))


def test_speakers_are_drawn_whole():
    """One of four speakers is never understood: others like him could be more, or none."""
    found = metrics.word_errors(["a b"] * 40, ["a b"] * 30 + ["c d"] * 10)
    rng = np.random.default_rng(0)
    over_clips = found.interval(rng)
    over_speakers = found.interval(rng, groups=np.repeat(list("pqrs"), 10))
    assert over_speakers[0] == 0 < over_clips[0] and over_speakers[1] > over_clips[1]


def test_a_draw_of_empty_references_has_a_rate():
    found = metrics.word_errors(["a", ""], ["a", "b"])
    assert found.interval(np.random.default_rng(0)) == (0, 2)


def test_the_gain_is_surer_than_the_rates():
    references, heard = simulated(0, 0.3)
    mended = [text.replace("b", "a", 1) for text in heard]
    before, after = (metrics.word_errors(references, texts) for texts in (heard, mended))
    low, high = after.gain_interval(before, np.random.default_rng(0))
    assert 0 < low < before.rate - after.rate < high
    ends = before.interval(np.random.default_rng(0))
    assert high - low < (ends[1] - ends[0]) / 2
    lost = before.gain_interval(after, np.random.default_rng(0))
    assert lost == pytest.approx((-high, -low))


def test_a_gain_needs_the_same_references():
    one, other = metrics.word_errors("a b", "a"), metrics.word_errors("a b c", "a")
    with pytest.raises(ValueError, match="2 words of 1 utterances before and 3 words of 1 now"):
        other.gain_interval(one, np.random.default_rng(0))
    with pytest.raises(ValueError, match="3 characters of 1 utterances before"):
        one.gain_interval(metrics.character_errors("a b", "a"), np.random.default_rng(0))


def test_one_line_for_people():
    assert str(metrics.word_errors(REFERENCES, HYPOTHESES)) == (
        "8 errors in 12 words of 4 utterances, 66.7 % (2 substituted, 4 deleted, 2 inserted)"
    )
