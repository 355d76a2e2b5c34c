"""Pictures of a CTC recogniser: spikes named in their places, the paths of a text, words.

What a lattice says of its paths is held against a walk through all of them.
"""

from itertools import pairwise, product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from course_utils import plots
from course_utils.decoding import collapse, text_probabilities
from course_utils.features.text import LETTERS, Alphabet
from course_utils.plots import ctc

SECONDS = 0.04  # of a step
ALPHABET = Alphabet("ab '")
THREE = np.log([[0.4, 0.1, 0.5], [0.3, 0.3, 0.4], [0.1, 0.6, 0.3]])


def path(symbols: str, sure: float = 0.9, alphabet: Alphabet = ALPHABET) -> np.ndarray:
    """Log-probabilities (steps, classes) of a network that is sure of a path; ``_`` is a blank."""
    values = np.full((len(symbols), len(alphabet)), (1 - sure) / (len(alphabet) - 1))
    for step, symbol in enumerate(symbols):
        values[step, alphabet.blank if symbol == "_" else alphabet.encode(symbol)[0]] = sure
    return np.log(values)


def said(ax) -> str:
    return plots.alt_text(ax.figure)


def written(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def in_legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rows_of(ax) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def test_lines_are_those_of_the_blank_and_of_what_rises(ax):
    log_probs = path("_a_ b__")
    ctc.symbol_probabilities(ax, log_probs, ALPHABET, SECONDS, title="a clip")
    assert len(ax.lines) == 4, "the apostrophe never rises"
    blank, a, *_ = ax.lines
    np.testing.assert_allclose(blank.get_ydata(), np.exp(log_probs[:, ALPHABET.blank]))
    np.testing.assert_allclose(a.get_xydata()[1], [1.5 * SECONDS, 0.9])
    assert blank.get_linestyle() == "--" and a.get_linestyle() == "-"
    assert in_legend(ax) == ["blank", "other symbols"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s); ␣ is a space", "probability")
    assert ax.get_xlim() == (0, pytest.approx(7 * SECONDS)) and ax.get_title(loc="left") == "a clip"


def test_every_spike_has_its_symbol(ax):
    ctc.symbol_probabilities(ax, path("aa_a b"), ALPHABET, SECONDS)
    places = sorted((text.get_position()[0] / SECONDS, text.get_text()) for text in ax.texts)
    assert [mark for _, mark in places] == ["a", "a", "␣", "b"]
    assert [step for step, _ in places] == pytest.approx([0.5, 3.5, 4.5, 5.5])
    assert all(0.9 < text.get_position()[1] < 1 for text in ax.texts)


def test_what_the_text_lacks_is_drawn_in_another_way(ax):
    ctc.symbol_probabilities(ax, path("_a_b"), ALPHABET, SECONDS, "a")
    _, a, b = ax.lines
    assert a.get_color() != b.get_color() and a.get_linestyle() != b.get_linestyle()
    assert in_legend(ax) == ["blank", "in the text", "not in the text"]
    assert said(ax).endswith('The text is "a".')


def test_a_text_of_nothing_lacks_everything(ax):
    ctc.symbol_probabilities(ax, path("_a_"), ALPHABET, SECONDS, "")
    assert in_legend(ax) == ["blank", "not in the text"] and said(ax).endswith('The text is "".')


def test_the_words_of_lines_are_computed(ax):
    ctc.symbol_probabilities(ax, path("__a_ '__"), ALPHABET, SECONDS, title="a clip")
    assert said(ax) == (
        "Probability of symbols over time of a clip; the blank is likeliest in 62% of 8 steps."
        " Above 0.2 rise, where they are highest: a at 0.10 s, space at 0.18 s, apostrophe at"
        " 0.22 s."
    )


@pytest.mark.parametrize(("least", "names"), [(0.1, ["a", "b"]), (0.3, ["a"]), (0.7, [])])
def test_the_least_probability_decides_what_is_named(ax, least, names):
    log_probs = np.log([[0.6, 0.2, 0.05, 0.05, 0.1], [0.05, 0.05, 0.05, 0.05, 0.8]])
    ctc.symbol_probabilities(ax, log_probs, ALPHABET, SECONDS, least=least)
    assert written(ax) == names and len(ax.lines) == 1 + len(names)
    assert said(ax).endswith("nothing.") == (not names)


def test_a_map_has_a_row_for_each_symbol_and_a_column_for_each_step(ax):
    log_probs = path("_a_bb ")
    ctc.symbol_map(ax, torch.from_numpy(log_probs).float(), ALPHABET, SECONDS, "a clip")
    (image,) = ax.images
    np.testing.assert_allclose(image.get_array(), np.exp(log_probs).T, rtol=1e-6)
    assert image.get_extent() == pytest.approx((0, 6 * SECONDS, 4.5, -0.5))
    assert image.get_clim() == (0, 1) and ax.figure.axes[1].get_ylabel() == "probability"
    assert rows_of(ax) == ["a", "b", "space", "apostrophe", "blank"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "symbol")
    assert said(ax) == (
        "Picture of a clip: probability of 5 symbols over time; the blank is likeliest in 33% of 6"
        " steps. The others are likeliest in turn: a from 0.04 s, b from 0.12 s, space from 0.20 s."
    )


def test_the_blank_may_be_any_class(ax):
    alphabet = Alphabet("ab", blank=0)
    ctc.symbol_map(ax, path("a_b", alphabet=alphabet), alphabet, SECONDS)
    assert rows_of(ax) == ["blank", "a", "b"]
    assert said(ax).endswith("33% of 3 steps. The others are likeliest in turn: a from 0.00 s,"
                             " b from 0.08 s.")  # fmt: skip


def test_a_plain_sequence_may_have_an_entry_for_the_blank(ax):
    ctc.symbol_map(ax, THREE, ["a", "b", "_"], SECONDS)
    assert rows_of(ax) == ["a", "b", "blank"]


def test_boxes_hold_letters_and_a_blank_is_empty(ax):
    snapshots = [(1, path("_____")), (3, path("_a__b", 0.6)), (20, path("aa_a "))]
    ctc.best_symbols(ax, snapshots, ALPHABET, SECONDS, "a clip")
    boxes = [mesh.get_array() for mesh in ax.collections]
    assert [mesh.mask.ravel().tolist() for mesh in boxes] == [
        [True] * 5, [True, False, True, True, False], [False, False, True, False, False],
    ]  # fmt: skip
    assert boxes[1].compressed() == pytest.approx([0.6, 0.6])
    assert written(ax) == [
        "writes nothing", "a", "b", 'writes "ab"', "a", "a", "a", "␣", 'writes "aa "',
    ]  # fmt: skip
    places = [text.get_position()[0] for text in ax.texts[1:3]]
    assert places == pytest.approx([1.5 * SECONDS, 4.5 * SECONDS])
    assert rows_of(ax) == ["epoch 1\n100% blank", "epoch 3\n60% blank", "epoch 20\n20% blank"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first is at the top"
    assert said(ax) == (
        "Likeliest symbols of 5 steps of a clip: epoch 1, 100% blank, writes nothing; epoch 3, 60%"
        ' blank, writes "ab"; epoch 20, 20% blank, writes "aa ".'
    )


def test_snapshots_count_what_they_like(ax):
    ctc.best_symbols(ax, [(400, path("_a"))], ALPHABET, SECONDS, unit="step")
    assert rows_of(ax) == ["step 400\n50% blank"]


def test_eighty_steps_at_ten_inches_do_not_touch():
    fig, ax = plots.figure(height=4, width=10)
    snapshots = [(epoch, path("w" * 80, alphabet=LETTERS)) for epoch in range(7)]
    ctc.best_symbols(ax, snapshots, LETTERS, SECONDS, "a clip")
    fig.canvas.draw()
    letters = [text.get_window_extent() for text in ax.texts if text.get_text() == "w"]
    assert len(letters) == 7 * 80
    assert all(one.x1 <= other.x0 for one, other in pairwise(letters[:80]))


@pytest.mark.parametrize(
    ("snapshots", "sentence"),
    [
        ([], r"Found 0 snapshots of 0 shapes, \[\]; expected some of one shape"),
        ([(1, path("a_")), (2, path("a__"))], r"2 snapshots of 2 shapes, \[\(2, 5\), \(3, 5\)\]"),
    ],
)
def test_snapshots_of_other_utterances_are_refused(ax, snapshots, sentence):
    with pytest.raises(ValueError, match=sentence):
        ctc.best_symbols(ax, snapshots, ALPHABET, SECONDS)


def thick(ax) -> tuple[set, set]:
    """The nodes (step, row) and arrows ((step, row), (step, row)) that are drawn as on a path."""
    nodes, arrows = set(), set()
    for text in ax.texts:
        place = text.get_position()
        if text.get_text() and text.get_bbox_patch().get_linewidth() > 1:
            nodes.add(place)
        elif not text.get_text() and text.arrow_patch.get_linewidth() > 1:
            arrows.add((place, text.xy))
    return nodes, arrows


def walked(text: str, steps: int) -> tuple[int, set, set]:
    """How many paths write a text, and the nodes and arrows they use: every path is tried."""
    count, nodes, arrows = 0, set(), set()
    for symbols in product("ab_", repeat=steps):
        if collapse("".join(symbols)) == text:
            begun = [len(collapse("".join(symbols[: step + 1]))) for step in range(steps)]
            rows = [2 * n - (c != "_") for n, c in zip(begun, symbols, strict=True)]
            count, places = count + 1, list(enumerate(rows))
            nodes |= set(places)
            arrows |= set(pairwise(places))
    return count, nodes, arrows


@settings(max_examples=40, deadline=None)
@given(st.text("ab", max_size=3), st.integers(1, 4), st.integers(0, 2**32))
def test_a_lattice_shows_the_paths_that_write_the_text(text, steps, seed):
    values = np.random.default_rng(seed).dirichlet([1, 1, 1], steps)
    _, ax = plots.figure()
    ctc.lattice(ax, np.log(values), "ab", text)
    count, nodes, arrows = walked(text, steps)
    assert thick(ax) == (nodes, arrows)
    share = text_probabilities(np.log(values), "ab").get(text, 0)
    assert said(ax).endswith(f'Paths that write "{text}": {count}, together {share:.4g}.')
    plt.close(ax.figure)


def test_nodes_hold_probabilities_and_rows_are_the_text_with_blanks(ax):
    ctc.lattice(ax, THREE, "ab", "ab", "three steps")
    nodes = {text.get_position(): text.get_text() for text in ax.texts if text.get_text()}
    expected = np.exp(THREE)[:, [2, 0, 2, 1, 2]]
    assert nodes == {(t, row): f"{expected[t, row]:.2f}" for t, row in np.ndindex(3, 5)}
    assert rows_of(ax) == ["blank", "a", "blank", "b", "blank"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "text with its blanks")
    assert ax.get_xticks().tolist() == [0, 1, 2] and ax.get_title(loc="left") == "three steps"
    assert said(ax) == (
        "Lattice of three steps: 3 steps of the rows blank, a, blank, b, blank. Paths that write"
        ' "ab": 5, together 0.366.'
    )


def test_letters_that_are_alike_are_not_leapt_between(ax):
    ctc.lattice(ax, THREE, "ab", "aa")
    assert thick(ax) == ({(0, 1), (1, 2), (2, 3)}, {((0, 1), (1, 2)), ((1, 2), (2, 3))})
    drawn = {(text.get_position(), text.xy) for text in ax.texts if not text.get_text()}
    assert ((0, 1), (1, 3)) not in drawn and ((0, 0), (1, 0)) in drawn, "what is allowed is drawn"


def test_a_text_that_is_too_long_has_no_path(ax):
    ctc.lattice(ax, THREE[:2], "ab", "aa")
    assert thick(ax) == (set(), set())
    assert said(ax).endswith('Paths that write "aa": 0, together 0.')


def test_brightness_tells_probability_and_never_hides_it(ax):
    ctc.lattice(ax, THREE, "ab", "a")
    faces = {
        text.get_text(): to_rgb(text.get_bbox_patch().get_facecolor())
        for text in ax.texts
        if text.get_text()
    }
    by_probability = [sum(faces[name]) for name in sorted(faces)]
    assert by_probability == sorted(by_probability, reverse=True)
    assert min(by_probability) > 1.5, "black stays readable"


@pytest.mark.parametrize(
    ("text", "steps", "sentence"),
    [
        ("ac", 3, "Found 'c' in 'ac'; expected characters of 'ab'; bring the text down"),
        ("a_", 3, "Found '_' in 'a_'"),
        ("ab" * 8, 5, "Found 5 steps and 33 rows for 'abab.*'; expected at most 80 nodes, to be"),
    ],
)
def test_a_lattice_that_cannot_be_drawn_is_refused(ax, text, steps, sentence):
    log_probs = np.full((steps, 3), -np.log(3))
    with pytest.raises(ValueError, match=sentence):
        ctc.lattice(ax, log_probs, ["a", "b", "_"], text)
    assert not ax.texts, "nothing is half drawn"


def each_figure(ax, log_probs, alphabet=ALPHABET, seconds=SECONDS):
    """Every figure that takes log-probabilities and a duration, one after the other."""
    yield lambda: ctc.symbol_probabilities(ax, log_probs, alphabet, seconds)
    yield lambda: ctc.symbol_map(ax, log_probs, alphabet, seconds)
    yield lambda: ctc.best_symbols(ax, [(1, log_probs)], alphabet, seconds)


@pytest.mark.parametrize(
    ("log_probs", "alphabet", "seconds", "sentence"),
    [
        (np.zeros((0, 5)), ALPHABET, 0.04, "Found 0 steps; expected some, in each of which"),
        (
            np.exp(path("a_")),
            ALPHABET,
            0.04,
            "Found 2 steps, and 6.* in one; expected .* add up to",
        ),
        (path("a_")[None], ALPHABET, 0.04, r"shape \(1, 2, 5\); expected \(time, classes\)"),
        (np.full((2, 5), np.nan), ALPHABET, 0.04, "NaN in frame 0"),
        (path("a_"), LETTERS, 0.04, "alphabet of 29 entries for 5 classes"),
        (path("a_"), ALPHABET, 0, "Found seconds_per_step=0; expected more than 0; give the"),
        (path("a_"), ALPHABET, -1, "Found seconds_per_step=-1; expected more than 0"),
        (path("a_"), ALPHABET, np.nan, "Found seconds_per_step=nan; expected more than 0"),
    ],
)
def test_what_is_no_output_of_a_recogniser_is_refused(ax, log_probs, alphabet, seconds, sentence):
    for draw in each_figure(ax, log_probs, alphabet, seconds):
        with pytest.raises(ValueError, match=sentence):
            draw()
    assert not ax.has_data()
