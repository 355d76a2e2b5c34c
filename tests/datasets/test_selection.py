"""Which clips carry which label, and every way to ask for what cannot be selected."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_sounds import touch_set

from course_utils.datasets import speech_commands
from course_utils.datasets.speech_commands import PARTS, SILENCE, UNKNOWN, SpeechCommands, select

WORDS = ("Hallo", "bird", "go", "no", "turn on", "yes")
# By the official hash at 10 % and 10 %: validation, testing, training.
ANNA, BEN, OTHERS = "anna", "ben", ("carla", "dev", "finn", "gita")
CLIPS_OF = {ANNA: 3, BEN: 2} | dict.fromkeys(OTHERS, 4)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Six words; each has 16 clips for training, 3 for validation, 2 for testing."""
    names = [f"{who}_nohash_{i}.wav" for who, count in CLIPS_OF.items() for i in range(count)]
    root = tmp_path_factory.mktemp("words")
    return SpeechCommands(touch_set(root, dict.fromkeys(WORDS, names)))


def counts(selection, part):
    found = Counter(selection.classes[part].tolist())
    return [found[index] for index in range(len(selection.labels))]


def refused(data, *words, **options) -> str:
    """Ask for what must be refused and hold the message to the rules for messages."""
    with pytest.raises(ValueError) as caught:
        select(data, **{"wanted_words": ["yes", "no"]} | options)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    assert all(word in message for word in words), message
    return message


def test_labels_and_shares(data):
    chosen = select(data, ["yes", "Hallo", "go"], unknown_percentage=20)
    assert chosen.labels == (SILENCE, UNKNOWN, "yes", "Hallo", "go")
    # 48, 9 and 6 wanted clips: 10 % and 20 % of them, rounded up.
    assert counts(chosen, "training") == [5, 10, 16, 16, 16]
    assert counts(chosen, "validation") == [1, 2, 3, 3, 3]
    assert counts(chosen, "testing") == [1, 2, 2, 2, 2]


wanted_words = st.lists(st.sampled_from(WORDS), min_size=1, unique=True)
percentages = st.floats(0, 300) | st.integers(0, 300)


@given(wanted_words, percentages, percentages, st.integers(0, 2**40))
def test_what_holds_for_every_selection(data, wanted, unknown, silence, seed):
    options = {"unknown_percentage": unknown, "silence_percentage": silence, "seed": seed}
    chosen = select(data, wanted, **options)
    again = select(data, wanted, **options)
    for part in PARTS:
        paths, classes = chosen.paths[part], chosen.classes[part]
        assert paths == again.paths[part] and classes.tolist() == again.classes[part].tolist()
        assert len(paths) == len(classes) and classes.dtype == np.int32
        n = sum(len(data.clips(word, part)) for word in wanted)
        others = len(data.clips(part=part)) - n
        found = counts(chosen, part)
        assert found[0] == math.ceil(n * silence / 100) == paths.count(None)
        assert found[1] == min(others, math.ceil(n * unknown / 100))
        real = [path for path in paths if path]
        assert len(set(real)) == len(real) == n + found[1]
        for path, index in zip(paths, classes, strict=True):
            if path is not None:
                word = path.parent.name
                assert chosen.labels[index] == (word if word in wanted else UNKNOWN)
                assert data.part_of(path) == part
            else:
                assert index == 0


def test_the_seed_decides_which_unknown_clips_and_the_order(data):
    one, other = (select(data, ["yes"], seed=seed) for seed in (1, 2))
    unknown = [
        {p for p, c in zip(s.paths["training"], s.classes["training"], strict=True) if c == 1}
        for s in (one, other)
    ]
    assert unknown[0] != unknown[1] and len(unknown[0]) == len(unknown[1]) == 2
    assert one.paths["training"] != other.paths["training"]
    classes = one.classes["training"]
    changes = np.count_nonzero(np.diff(classes))
    assert changes > 2, "three labels, and all clips of one follow those of another"


def test_parts_do_not_depend_on_each_other(tmp_path):
    """Another recording for testing must not change what is trained on."""
    clips = dict.fromkeys(WORDS, (ANNA, BEN, *OTHERS))
    before = select(SpeechCommands(touch_set(tmp_path, clips)), ["yes"])
    (tmp_path / "bird" / f"{BEN}_nohash_7.wav").touch()
    (tmp_path / "yes" / f"{BEN}_nohash_7.wav").touch()
    after = select(SpeechCommands(tmp_path), ["yes"])
    for part in ("training", "validation"):
        assert before.paths[part] == after.paths[part]
    assert len(before.paths["testing"]) < len(after.paths["testing"])


def test_fewer_unknown_clips_than_asked_for(data):
    chosen = select(data, WORDS[:-1], unknown_percentage=100)
    assert counts(chosen, "testing")[1] == 2
    assert counts(select(data, WORDS, unknown_percentage=100), "training")[1] == 0


def test_the_order_of_words_is_the_order_of_labels(data):
    assert select(data, iter(["no", "yes"])).labels[2:] == ("no", "yes")
    assert select(data, ("yes", "no")).labels[2:] == ("yes", "no")


def test_as_text(data):
    chosen = select(data, ["yes", "turn on"])
    assert str(chosen).splitlines() == [
        "             training  validation     testing",
        "_silence_           4           1           1",
        "_unknown_           4           1           1",
        "yes                16           3           2",
        "turn on            16           3           2",
        "all                40           8           6",
    ]


def test_the_ten_commands_of_the_shipped_set():
    data = speech_commands.open("speech_commands_mini")
    chosen = select(data)
    assert chosen.labels == (SILENCE, UNKNOWN, *speech_commands.COMMANDS)
    for part in PARTS:
        found = counts(chosen, part)
        assert found[0] == found[1] == math.ceil(sum(found[2:]) / 10) > 0
        assert all(found[2:])


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("wanted", ["yes", "yes,no", [], ()])
def test_not_a_list_of_words(data, wanted):
    refused(data, "wanted_words is ", "expected a list of words", wanted_words=wanted)


def test_words_that_are_not_there(data):
    refused(data, "'cat'", "its words are Hallo, bird", "choose", wanted_words=["yes", "cat"])
    refused(data, "' no'", "remove the space", wanted_words=["yes", " no"])
    refused(data, "'Yes'", "there is 'yes'", "by case", wanted_words=["Yes"])
    refused(data, "'hallo'", "there is 'Hallo'", wanted_words=["hallo"])
    refused(data, "' YES '", "there is 'yes'", wanted_words=[" YES "])
    refused(data, "'_background_noise_'", wanted_words=["_background_noise_"])
    refused(data, "wanted word 3", wanted_words=["yes", 3])
    assert select(data, ["turn on"]).labels[2:] == ("turn on",)


def test_words_given_twice(data):
    refused(data, "'yes', 'no' more than once", wanted_words=["yes", "no", "no", "go", "yes"])


@pytest.mark.parametrize("label", [SILENCE, UNKNOWN])
def test_the_extra_labels_are_no_words(data, label):
    refused(data, repr(label), "adds by itself", "remove it", wanted_words=["yes", label])


@pytest.mark.parametrize("name", ["unknown_percentage", "silence_percentage"])
@pytest.mark.parametrize("value", [-1, -1e-9, math.nan, math.inf])
def test_impossible_percentages(data, name, value):
    refused(data, f"{name} is {value}", "expected 0 or more", **{name: value})


def test_silence_needs_background_noise(tmp_path):
    data = SpeechCommands(touch_set(tmp_path, {"yes": list(CLIPS_OF)}, background=False))
    refused(data, "_background_noise_", "silence_percentage=0", wanted_words=["yes"])
    chosen = select(data, ["yes"], silence_percentage=0)
    assert counts(chosen, "testing") == [0, 0, 1]
    (tmp_path / "_background_noise_").mkdir()
    refused(SpeechCommands(tmp_path), "silence is cut from", wanted_words=["yes"])


# ---------------------------------------------------------------- a learner's own split


def test_a_part_without_clips_and_how_to_mend_it(tmp_path):
    root = touch_set(tmp_path, {"yes": [ANNA, *OTHERS], "no": [ANNA, BEN]})
    refused(SpeechCommands(root), "The testing part", "6 by their", "hash", wanted_words=["yes"])
    # Finn is at 37.5 on the scale that the hash puts speakers on, dev and gita above 50.
    data = SpeechCommands(root, testing_percentage=30)
    chosen = select(data, ["yes"], unknown_percentage=0)
    assert [path.name for path in chosen.paths["testing"] if path] == ["finn_nohash_0.wav"]
    all_for_testing = SpeechCommands(root, validation_percentage=5, testing_percentage=90)
    refused(all_for_testing, "The training part", wanted_words=["yes"])


def test_lists_win_over_percentages(tmp_path):
    root = touch_set(tmp_path, {"yes": [ANNA, BEN, *OTHERS]})
    (root / "validation_list.txt").write_text("yes/dev_nohash_0.wav\n")
    (root / "testing_list.txt").write_text("yes/gita_nohash_0.wav\n")
    plain = SpeechCommands(root)
    shares = SpeechCommands(root, validation_percentage=0, testing_percentage=99)
    assert plain.split_by == shares.split_by == plain.summary().split_by == "the set's lists"
    for part in PARTS:
        assert plain.clips(part=part) == shares.clips(part=part)
    assert [path.name for path in plain.clips(part="testing")] == ["gita_nohash_0.wav"]
    (root / "testing_list.txt").write_text("")
    refused(SpeechCommands(root), "The testing part", "the set's lists", wanted_words=["yes"])


@given(st.floats(0, 60), st.floats(0, 39))
def test_the_percentages_are_those_of_partition(data, validation, testing):
    shares = {"validation_percentage": validation, "testing_percentage": testing}
    own = SpeechCommands(data.root, **shares)
    for path in own.clips("yes"):
        assert own.part_of(path) == speech_commands.partition(path, **shares)
    assert own.summary().parts == {part: len(own.clips(part=part)) for part in PARTS}


@pytest.mark.parametrize("shares", [(50, 50), (100, 0), (-1, 10), (10, math.nan)])
def test_impossible_shares_are_refused_at_once(data, shares):
    with pytest.raises(ValueError, match="is impossible: both must be 0 or more and their sum"):
        SpeechCommands(data.root, validation_percentage=shares[0], testing_percentage=shares[1])
