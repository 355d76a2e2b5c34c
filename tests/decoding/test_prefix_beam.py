"""Prefix beam search: a wide beam is all texts, and torchaudio's decoder agrees."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_lattices import lattices, log_probs

from course_utils.decoding import NGram, greedy, n_best, prefix_beam_search, text_probabilities
from course_utils.features.text import LETTERS, Alphabet

WIDE = {"beam_width": 5000, "floor": -math.inf}
MODELS = {
    unit: NGram.train(["ab ab c", "a bab", "ab c ab"], order, unit)
    for unit, order in (("words", 2), ("characters", 3))
}


def test_the_best_text_where_the_best_path_is_silent():
    """Two frames, each with p(a) = 0.4: three paths of four write "a", the likeliest none."""
    lattice = np.log([[0.4, 0.6]] * 2)
    first, second = n_best(lattice, "a", 1)
    assert (first.text, math.exp(first.log_prob)) == ("a", pytest.approx(0.64))
    assert (second.text, math.exp(second.log_prob)) == ("", pytest.approx(0.36))
    assert prefix_beam_search(lattice[None], [2], "a") == ["a"] != greedy(lattice[None], [2], "a")


@given(lattices())
@settings(deadline=None)
def test_a_wide_beam_is_brute_force(lattice):
    found = n_best(*lattice, **WIDE)
    shares = text_probabilities(*lattice)
    assert {h.text: math.exp(h.log_prob) for h in found} == pytest.approx(shares)
    assert shares[found[0].text] == pytest.approx(max(shares.values()))
    assert all(h.score == h.log_prob for h in found)


@given(lattices(most_frames=4), st.sampled_from(sorted(MODELS)), st.floats(0, 2), st.floats(-1, 3))
@settings(deadline=None)
def test_fusion_is_brute_force_with_a_language_model(lattice, unit, weight, bonus):
    model = MODELS[unit]
    found = n_best(*lattice, **WIDE, language_model=model, weight=weight, bonus=bonus)
    expected = {
        text: math.log(share) + weight * model.score(text) + bonus * len(model.tokens(text))
        for text, share in text_probabilities(*lattice).items()
    }
    assert {h.text: h.score for h in found} == pytest.approx(expected)
    assert found[0].score == pytest.approx(max(expected.values()))


@given(lattices(most_frames=12), st.integers(1, 6))
@settings(deadline=None)
def test_a_narrow_beam_never_promises_too_much(lattice, width):
    narrow = n_best(*lattice, beam_width=width, floor=-math.inf)
    whole = {h.text: h.log_prob for h in n_best(*lattice, **WIDE | {"beam_width": 3000})}
    assert 1 <= len(narrow) <= width
    assert all(h.log_prob <= whole.get(h.text, math.inf) + 1e-9 for h in narrow)


def test_of_one_prefix_and_sure_frames_remains_the_best_path():
    scores = log_probs(1, 3, 40, 29, sharpness=8.0)
    expected = greedy(scores, [40, 30, 0], LETTERS)
    assert prefix_beam_search(scores, [40, 30, 0], LETTERS, beam_width=1) == expected
    assert prefix_beam_search(scores[:0], [], LETTERS) == []


def torchaudio_best(scores: np.ndarray, alphabet: str, **settings) -> str:
    """The best text by flashlight, whose own silence, never heard, is one more class."""
    pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed")
    from torchaudio.models.decoder import ctc_decoder

    tokens = [*alphabet, "<blank>", "<silence>"]
    decoder = ctc_decoder(
        None, tokens, beam_size=500, beam_threshold=1e6, log_add=True,
        blank_token="<blank>", sil_token="<silence>", **settings,
    )  # fmt: skip
    silence = np.full((len(scores), 1), -1e4)
    emissions = torch.from_numpy(np.hstack([scores, silence])).float()[None].contiguous()
    return "".join(decoder.idxs_to_tokens(decoder(emissions)[0][0].tokens[1:-1]))


def same_best(lattice: np.ndarray, alphabet: str, theirs: str, **settings) -> bool:
    """Whether a text is our best, or as good as our best to a float32."""
    ours = n_best(lattice, alphabet, beam_width=500, floor=-math.inf, **settings)
    scores = {h.text: h.score for h in ours}
    return scores[theirs] == pytest.approx(ours[0].score, abs=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_torchaudio_finds_the_same_text(seed):
    lattice = log_probs(seed, 12, 5, sharpness=2.0)
    assert same_best(lattice, "ab c", torchaudio_best(lattice, "ab c"))


@pytest.mark.parametrize("seed", range(4))
def test_torchaudio_finds_the_same_text_with_a_language_model(seed):
    pytest.importorskip("flashlight.lib.text", reason="flashlight-text is not installed")
    from torchaudio.models.decoder import CTCDecoderLM, CTCDecoderLMState

    model = MODELS["characters"]

    class Flashlight(CTCDecoderLM):
        """Our model in flashlight's words; each state is the text so far."""

        def __init__(self):
            super().__init__()
            self.texts = {}

        def start(self, start_with_nothing):
            state = CTCDecoderLMState()
            self.texts = {state: ""}
            return state

        def score(self, state, token):
            if token > 3:  # silence
                return state, 0.0
            child, text = state.child(token), self.texts[state]
            self.texts[child] = text + "ab c"[token]
            return child, model.step(text, "ab c"[token]).log_prob

        def finish(self, state):
            return state, model.end(self.texts[state]).log_prob

    lattice = log_probs(seed, 8, 5, sharpness=2.0)
    theirs = torchaudio_best(lattice, "ab c", lm=Flashlight(), lm_weight=0.7)
    assert same_best(lattice, "ab c", theirs, language_model=model, weight=0.7)


def test_a_language_model_mends_what_sounds_alike():
    """The network cannot tell "b" from "c" at the end of the word; the texts know the word."""
    shares = np.full((3, 5), 0.01)
    shares[0, 0] = shares[1, 4] = 0.96
    shares[2] = [0.01, 0.48, 0.01, 0.49, 0.01]
    model = NGram.train(["ab ab", "ab"], 2)
    alone = n_best(np.log(shares), Alphabet("ab c"))[0]
    helped = n_best(np.log(shares), Alphabet("ab c"), language_model=model, weight=0.5)[0]
    assert (alone.text, helped.text) == ("ac", "ab")
    assert helped.score == pytest.approx(helped.log_prob + 0.5 * model.score("ab"))


@pytest.mark.parametrize("unit", MODELS)
def test_word_pieces_are_judged_letter_by_letter(unit):
    model, pieces = MODELS[unit], ["ab", " ", "c a"]
    found = n_best(log_probs(0, 4, 4), pieces, **WIDE, language_model=model, weight=1.0)
    expected = {h.text: h.log_prob + model.score(h.text) for h in found}
    assert "abc a" in expected
    assert {h.text: h.score for h in found} == pytest.approx(expected)


def test_the_bonus_pays_for_words():
    lattice = np.log([[0.9, 0.05, 0.05], [0.05, 0.5, 0.45], [0.9, 0.05, 0.05]])
    model = NGram.train(["a a", "aa"], 2)
    settings = {"alphabet": "a ", "language_model": model, "floor": -math.inf}
    few, many = (n_best(lattice, bonus=bonus, **settings)[0].text for bonus in (-5.0, 5.0))
    assert (len(few.split()), len(many.split())) == (0, 2)


@given(lattices(), st.integers(1, 3))
@settings(deadline=None)
def test_padding_is_not_searched(lattice, padding):
    scores, alphabet, blank = lattice
    padded = np.concatenate([scores, np.full((padding, scores.shape[1]), np.nan)])
    assert n_best(padded, alphabet, blank, length=len(scores)) == n_best(scores, alphabet, blank)
    batch = prefix_beam_search(padded[None], [len(scores)], alphabet, blank)
    assert batch == [n_best(scores, alphabet, blank)[0].text]


def test_frames_without_doubt_hold_infinities():
    with np.errstate(divide="ignore"):
        lattice = np.log(np.eye(3)[[0, 0, 2, 0, 1]])
    assert n_best(torch.from_numpy(lattice), "ab") == [("aab", 0.0, 0.0)]
    assert n_best(lattice, "ab", floor=-math.inf) == [("aab", 0.0, 0.0)]


def test_a_high_floor_leaves_the_likeliest_class():
    """Here even that is below the floor, and no frame can be blank."""
    with np.errstate(divide="ignore"):
        lattice = np.log([[0.3, 0.7, 0.0], [0.6, 0.4, 0.0], [0.6, 0.4, 0.0]])
    found = {h.text: math.exp(h.log_prob) for h in n_best(lattice, "ab", floor=0.0)}
    assert found == pytest.approx({"ba": 0.7 * 0.6 * 0.6 + 0.7 * 0.4 * 0.6, "b": 0.7 * 0.4 * 0.4})


UNIFORM = np.full((3, 3), -np.log(3))


@pytest.mark.parametrize(
    ("scores", "settings", "sentence"),
    [
        (np.exp(UNIFORM), {}, r"add up to 4.19 in frame 0; expected 1; .* log_softmax"),
        (UNIFORM - 1, {}, "add up to 0.368 in frame 0"),
        (np.full((3, 3), 1e9), {}, "in frame 0; expected 1"),
        (UNIFORM, {"beam_width": 0}, "beam_width=0; expected 1 or more"),
        (UNIFORM, {"weight": math.nan}, "weight=nan, bonus=0.0 and floor=-7.0; expected finite"),
        (UNIFORM, {"floor": math.nan}, "floor=nan; expected finite"),
        (UNIFORM, {"bonus": math.inf}, "bonus=inf"),
        (UNIFORM, {"length": 4}, "length of 4 frames for item 0; expected 0 to 3"),
        (UNIFORM, {"alphabet": "abcd"}, "alphabet of 4 entries for 3 classes"),
        (UNIFORM[None], {}, r"shape \(1, 3, 3\); expected \(time, classes\)"),
        (np.where(np.eye(3), np.nan, UNIFORM), {}, "NaN in frame 0 of item 0"),
    ],
)
def test_what_cannot_be_searched_is_told(scores, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        n_best(scores, **{"alphabet": "ab"} | settings)


def test_a_batch_that_does_not_fit_is_told():
    with pytest.raises(ValueError, match="length of 4 frames for item 0"):
        prefix_beam_search(UNIFORM[None], [4], "ab")
