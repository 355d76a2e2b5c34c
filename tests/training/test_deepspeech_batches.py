"""Utterances as batches: who is in them, at which speed, and what is refused."""

import re
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_torch import one_thread  # noqa: F401
from small_utterances import FRONT_END, RATE, Spoken, part, recogniser

from course_utils import audio
from course_utils.audio import AudioError
from course_utils.features.spec_augment import SpecAugment
from course_utils.features.text import LETTERS, minimum_steps
from course_utils.training.deepspeech import Batches, ctc, impossible

AUGMENT = SpecAugment(time_width=6, frequency_width=3)
SPEEDS = (0.9, 1.0, 1.1)
NET = recogniser()


def batches(count: int = 11, size: int = 4, **options) -> Batches:
    return Batches(part(count), NET, size, **{"stored": False} | options)


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert (
            torch.equal(value, other[name]) if name == "frames" else str(value) == str(other[name])
        ), name


@given(
    count=st.integers(1, 60), size=st.integers(1, 20), seed=st.integers(0, 99),
    turn=st.integers(0, 50),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_a_pass_has_every_utterance_once(count, size, seed, turn):
    made = batches(count, size, seed=seed, speeds=SPEEDS)
    assert made.per_epoch == -(-count // size)
    rows = [made.rows(turn * made.per_epoch + number) for number in range(made.per_epoch)]
    assert sorted(np.concatenate(rows)) == list(range(count))
    sizes = {len(each) for each in rows}
    assert max(sizes) <= size and max(sizes) - min(sizes) <= 1


@given(
    count=st.integers(1, 9), size=st.integers(1, 6), world=st.integers(1, 4), step=st.integers(0, 9)
)
@settings(max_examples=20, deadline=None)
def test_the_shares_are_the_whole_batch(count, size, world, step):
    options = {"speeds": SPEEDS, "augment": AUGMENT}
    whole = batches(count, size, **options)(step)
    shares = [batches(count, size, share=(rank, world), **options)(step) for rank in range(world)]
    frames = {}
    for share in shares:
        for name, table, length in zip(
            share["names"], share["frames"], share["lengths"], strict=True
        ):
            assert share["weight"] == 0 or name not in frames
            frames[name] = table[:length]
    assert sorted(frames) == sorted(whole["names"]) and whole["weight"] == 1
    for name, table, length in zip(whole["names"], whole["frames"], whole["lengths"], strict=True):
        assert torch.equal(frames[name], table[:length])
    # A mean over each share, weighted, and then over the processes, is the mean over the batch.
    weights = [share["weight"] for share in shares]
    assert sum(weights) == pytest.approx(world)
    for share in shares:
        kept = len(share["names"]) * (share["weight"] > 0)
        assert share["weight"] == pytest.approx(kept * world / len(whole["names"]))


def test_a_batch_is_what_the_network_and_the_loss_take():
    found = batches()(0)
    for row, name in enumerate(found["names"]):
        utterance = part(11)[int(name[-4:])]
        frames = FRONT_END(utterance.load()[0])
        np.testing.assert_array_equal(found["frames"][row, : found["lengths"][row]], frames)
        assert not found["frames"][row, found["lengths"][row] :].any()
        target = found["targets"][row, : found["target_lengths"][row]]
        assert LETTERS.decode(target) == utterance.text
    assert found["frames"].dtype == torch.float32 and found["blank"] == LETTERS.blank == 28
    for name in ("lengths", "targets", "target_lengths"):
        assert found[name].dtype == torch.int64
    assert found["frames"].shape[1] == found["lengths"].max()
    assert found["targets"].shape[1] == found["target_lengths"].max()
    assert ctc(NET.network, found).isfinite()


def test_a_step_has_always_the_same_batch_stored_or_not():
    options = {"speeds": SPEEDS, "augment": AUGMENT, "seed": 5}
    made = [batches(stored=stored, **options) for stored in (True, False, True)]
    for step in (7, 0, 3, 7):
        for other in made[1:]:
            assert_same(made[0](step), other(step))


def test_passes_differ_in_order_company_and_speed():
    made = batches(40, 4, speeds=SPEEDS)
    passes = [made._pass(turn) for turn in range(4)]
    companies = {frozenset(frozenset(rows.tolist()) for rows in rows) for _, rows in passes}
    assert len(companies) == 4
    assert len({rows[0].tobytes() for _, rows in passes}) > 1
    assert {number for chosen, _ in passes for number in chosen} == {0, 1, 2}
    assert len({chosen.tobytes() for chosen, _ in passes}) == 4
    again, other = batches(40, 4, speeds=SPEEDS), batches(40, 4, speeds=SPEEDS, seed=1)
    assert again.rows(13).tolist() == made.rows(13).tolist() != other.rows(13).tolist()


def test_like_lengths_are_together_so_that_little_is_padding():
    made = batches(200, 8, speeds=SPEEDS)
    found = [made(step) for step in range(made.per_epoch)]
    heard = sum(int(batch["lengths"].sum()) for batch in found)
    assert made.padded_share() == pytest.approx(
        1 - heard / sum(batch["frames"].shape[0] * batch["frames"].shape[1] for batch in found)
    )
    assert made.padded_share() < 0.1 < 0.3 < made.padded_share(bucketed=False) < 0.7


class Samples:
    """A front end that gives the samples as they are."""

    sample_rate = RATE

    def frames_in(self, samples: int) -> int:
        return samples

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        return samples[:, None]


@pytest.mark.parametrize("rate", [RATE, 2 * RATE])
@pytest.mark.parametrize("speed", [0.8, 1.0, 1.25])
def test_a_faster_voice_is_shorter_and_higher(rate, speed):
    time = np.arange(rate) / rate
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    utterance = SimpleNamespace(utterance_id="1", text="a", seconds=1.0, load=lambda: (tone, rate))
    heard = SimpleNamespace(front_end=Samples(), network=NET.network, alphabet=LETTERS)
    (found,) = Batches([utterance], heard, speeds=[speed])(0)["frames"][..., 0].numpy()
    assert len(found) == round(RATE / speed)
    peak = np.abs(np.fft.rfft(found)).argmax() * RATE / len(found)
    assert peak == pytest.approx(1000 * speed, abs=1)


def test_frames_are_those_of_the_speed_drawn():
    made = batches(speeds=SPEEDS, stored=True)
    for step in range(6):
        rows, chosen = made._drawn(step)
        found = made(step)
        for place, (row, number) in enumerate(zip(rows, chosen, strict=True)):
            samples = audio.resample(part(11)[row].load()[0], round(SPEEDS[number] * RATE), RATE)
            np.testing.assert_array_equal(
                found["frames"][place, : found["lengths"][place]], FRONT_END(samples)
            )


def test_every_pass_is_augmented_anew():
    made = batches(1, 1, augment=AUGMENT, stored=True)
    tables = [made(step)["frames"].numpy().tobytes() for step in range(8)]
    assert len(set(tables)) == 8
    assert made(3)["frames"].numpy().tobytes() == tables[3]
    both = batches(2, 2, augment=lambda frames, rng: np.full_like(frames, rng.random()))(0)
    assert both["frames"][0, 0, 0] != both["frames"][1, 0, 0], "each utterance in its own way"


def test_what_is_kept_stays_as_it_is():
    def spoil(frames, rng):
        frames[:] = 0
        return frames

    made, plain = batches(augment=spoil, stored=True), batches(stored=True)
    made(0)
    for one, other in zip(made._kept, plain._kept, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    plain(0)["frames"].zero_()
    assert plain(0)["frames"].any()


def test_what_is_kept_is_counted():
    made = batches(3, speeds=(1.0, 2.0), stored=True)
    lengths = [FRONT_END.frames_in(round(u.seconds * RATE / s)) for u in part(3) for s in (1, 2)]
    assert made.megabytes == pytest.approx(4 * FRONT_END.bins * sum(lengths) / 1e6)
    assert batches(3).megabytes == 0


class Counted(Spoken):
    """Says when it is read; the third is damaged."""

    read = 0

    def load(self):
        Counted.read += 1
        if Counted.read == 3:
            raise AudioError("7-1-0002.flac is truncated; expected all of it; copy it again.")
        return super().load()


def test_a_damaged_file_ends_the_making_at_once():
    many = [Counted(each.utterance_id, each.text) for each in part(300)]
    with pytest.raises(AudioError, match=r"^7-1-0002\.flac is truncated"):
        Batches(many, NET)
    assert Counted.read < 100
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def short(count: int = 1) -> list[SimpleNamespace]:
    """Utterances of 5 steps for a text of 6 characters, as if somebody had read very fast."""
    names = [f"7-2-{number:04d}" for number in range(count)]
    return [SimpleNamespace(utterance_id=name, text="abccba", seconds=0.12) for name in names]


def test_targets_that_cannot_be_written_are_named_at_the_beginning():
    found = [*part(4), *short(), Spoken("7-3-0000", "")]
    assert impossible(found, NET) == ["7-2-0000", "7-3-0000"]
    sentence = (
        r"^Nothing can be learned from 2 of 6 utterances, 7-2-0000 \(5 steps for a text that takes"
        r" 7\), 7-3-0000 \(no text\); expected a text, and a step for each character and one more"
        r" between two that are alike; train on part\.without\(\[\.\.\.\]\), whose list"
        r" impossible\(part, recogniser, speeds\) gives\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        Batches(found, NET)
    left = [each for each in found if each.utterance_id not in impossible(found, NET)]
    assert Batches(left, NET).part == tuple(part(4))


def test_of_many_some_are_named():
    with pytest.raises(ValueError, match=r"from 50 of 50 .*7-2-0002 \([^)]*\), …;") as found:
        Batches(short(50), NET)
    assert len(re.findall("7-2-", str(found.value))) == 3


@pytest.mark.parametrize("speeds, fits", [((1.0,), True), ((0.9, 1.0), True), ((1.0, 1.25), False)])
def test_the_fastest_speed_decides(speeds, fits):
    frames = 2 * minimum_steps("abba") - 1  # give that many steps and not one more
    count = FRONT_END.window + (frames - 1) * FRONT_END.hop
    sound = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    tight = SimpleNamespace(
        utterance_id="7-1-0000", text="abba", seconds=count / RATE, load=lambda: (sound, RATE)
    )
    assert impossible([tight], NET, speeds) == ([] if fits else ["7-1-0000"])
    if fits:
        made = Batches([tight], NET, speeds=speeds)
        assert all(ctc(NET.network, made(step)).isfinite() for step in range(4))


def test_a_character_that_the_alphabet_lacks_is_named_with_its_utterance():
    with pytest.raises(
        ValueError, match=r"^7-9-0001: Found 'ä' \(.*DIAERESIS\) at place 1 of 'bär'"
    ):
        Batches([*part(3), Spoken("7-9-0001", "bär")], NET)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"batch_size": 0}, "batch_size is 0; expected a whole number from 1 up; 16 is usual."),
        ({"batch_size": 2.5}, "batch_size is 2.5; expected a whole number from 1 up; 16 is usual."),
        ({"part": []}, "The part has no utterances; expected at least one; open another part."),
        ({"speeds": ()}, "speeds are (); expected one or more numbers from 0.5 to 2, beyond"),
        ({"speeds": (1, 2.5)}, "speeds are (1, 2.5); expected one or more numbers from 0.5 to 2,"),
        ({"share": (2, 2)}, "share is (2, 2); expected the number of this process, from 0, and"),
        ({"share": (-1, 2)}, "share is (-1, 2); expected the number of this process, from 0, and"),
    ],
)
def test_numbers_that_are_none(options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Batches(**{"part": part(3), "recogniser": NET} | options)
