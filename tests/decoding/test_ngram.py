"""The n-gram model: probabilities that add up to one, by hand and by chance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.decoding import NGram
from course_utils.decoding.ngram import END, UNKNOWN

TEXTS = ["the cat sat", "the cat ran", "a dog sat"]
texts = st.lists(st.text("ab ", max_size=8), min_size=1, max_size=4).filter(
    lambda found: any(map(str.strip, found))
)


def share(model: NGram, *args) -> float:
    return math.exp(model.log_prob(*args))


def test_bigrams_by_hand():
    """12 tokens of 7 kinds and an unknown one; "the" came twice, and only "cat" after it."""
    model = NGram.train(TEXTS, 2)
    cat = (2 + 7 / 8) / (12 + 7)
    assert share(model, "cat", ["the"]) == pytest.approx((2 + 1 * cat) / (2 + 1))
    assert share(model, "cat", ["dog"]) == pytest.approx((0 + 1 * cat) / (1 + 1))
    assert share(model, "cat", ["never"]) == pytest.approx(cat)
    assert share(model, UNKNOWN, ["the"]) == pytest.approx((7 / 8) / 19 / 3)


@given(texts, st.integers(1, 4), st.sampled_from(["words", "characters"]), st.data())
def test_the_next_token_is_something(trained, order, unit, data):
    model = NGram.train(trained, order, unit)
    known = [*sorted(model.vocabulary), END, UNKNOWN]
    context = data.draw(st.lists(st.sampled_from([*sorted(model.vocabulary), "zz"]), max_size=5))
    assert sum(share(model, token, context) for token in known) == pytest.approx(1)


@given(texts, st.integers(1, 4), st.sampled_from(["words", "characters"]), st.text("abz "))
def test_the_steps_of_a_text_add_up_to_its_score(trained, order, unit, text):
    model = NGram.train(trained, order, unit)
    steps = [model.step(text[:i], text[i]) for i in range(len(text))] + [model.end(text)]
    assert sum(step.log_prob for step in steps) == pytest.approx(model.score(text))
    assert sum(step.tokens for step in steps) == len(model.tokens(text))


def test_seen_texts_are_likelier_than_their_words_in_disorder():
    for order, unit in ((2, "words"), (4, "characters")):
        model = NGram.train(TEXTS, order, unit)
        assert model.score("the cat sat") > model.score("sat the cat")


def test_an_unknown_word_costs_its_spelling():
    model = NGram.train(TEXTS, 2)
    known, rare, odd = (model.log_prob(word, ["the"]) for word in ("cat", "cats", "xqzcats"))
    assert known > rare > odd > -math.inf
    announced = model.log_prob(UNKNOWN, ["the"])
    assert rare == pytest.approx(announced + model.spelling.score("cats"))


def test_perplexity():
    model = NGram.train(["a"] * 1000, 1, "characters")
    assert model.perplexity(["a", "a"]) == pytest.approx(2, abs=0.01)  # "a" or the end
    assert model.perplexity("a") == pytest.approx(model.perplexity(["a"]))
    model = NGram.train(TEXTS, 3)
    assert model.perplexity(TEXTS) < model.perplexity(["a cat ran"]) < math.inf
    assert model.perplexity(["a cat ran"]) < model.perplexity(["a xylophone ran"])
    assert model.perplexity([""]) == pytest.approx(math.exp(-model.log_prob(END)))


def test_a_single_string_is_one_text():
    assert NGram.train("the cat", 2) == NGram.train(["the cat"], 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((TEXTS, 0), "order=0 and unit='words'; expected 1 or more"),
        ((TEXTS, 3, "letters"), "unit='letters'; expected 1 or more, and one of"),
        (([],), "no words in the texts; expected at least one"),
        ((["", " "],), "no words in the texts"),
        (([""], 3, "characters"), "no characters in the texts"),
    ],
)
def test_nothing_to_count_is_told(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        NGram.train(*arguments)


def test_no_texts_have_no_perplexity():
    with pytest.raises(ValueError, match="no texts; expected at least one"):
        NGram.train(TEXTS).perplexity([])
