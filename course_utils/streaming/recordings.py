"""Long recordings with known words: clips of a test set laid into background noise.

Source: ``generate_streaming_test_wav`` of TensorFlow's ``speech_commands`` example (Pete Warden,
2017). Other than there, a seed decides everything, words begin at whole milliseconds and end before
the recording does, and a label without a clip is refused by name. Lesson: 04.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import audio
from course_utils.audio.errors import name_of
from course_utils.datasets.speech_commands import SILENCE, UNKNOWN
from course_utils.datasets.speech_commands.examples import ExampleSet
from course_utils.features import milliseconds_to_samples
from course_utils.features.activity import active_span
from course_utils.streaming.ground_truth import (
    check_entries,
    labels_beside,
    read_ground_truth,
    write_ground_truth,
)

__all__ = ["Recording", "make", "read_ground_truth", "write_ground_truth"]

# Background noise: a piece is mixed in every clip length, and overlaps the next by half a second.
_CROSSOVER_MS = 500
_WORD_RAMP_MS = 31.25  # the source's 500 samples at 16 kHz


@dataclass(frozen=True)
class Recording:
    """A long sound, and what is said in it.

    Attributes
    ----------
    samples : np.ndarray of float32, shape (samples,)
    sample_rate : int
        In Hz.
    ground_truth : tuple of (str, int)
        The label of each word and when its clip begins, in milliseconds.
    ends_ms : tuple of int
        When the sound of each word ends: the last moment that is no more than 25 dB below the
        loudest one of its clip.
    speakers : tuple of str
        Who says each word.
    """

    samples: np.ndarray
    sample_rate: int
    ground_truth: tuple[tuple[str, int], ...]
    ends_ms: tuple[int, ...]
    speakers: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sound to ``path``, ``x.wav`` say, and its words beside it, to ``x_labels.txt``.

        Each file is written whole or not at all. Returns the path of the words; raises AudioError
        as ``audio.save`` and ``write_ground_truth``.
        """
        labels = labels_beside(path)
        check_entries(name_of(labels), self.ground_truth)  # before the sound is written
        audio.save(path, self.samples, self.sample_rate)
        write_ground_truth(labels, self.ground_truth)
        return labels


def make(
    examples: ExampleSet,
    *,
    seconds: float = 600,
    word_gap_ms: float = 2000,
    unknown_percentage: float = 30,
    background_volume: float = 0.1,
    word_volume: float = 1.0,
    seed: int = 0,
) -> Recording:
    """Lay clips into background noise, each at a random time.

    A word begins in every stretch of a clip's length and ``word_gap_ms``, at any moment of the gap.

    Parameters
    ----------
    examples : ExampleSet
        Where words and noise come from; to test, the part "testing" of a set.
    seconds : float
        Length of the recording.
    word_gap_ms : float
        Average time between the end of a clip and the beginning of the next, in milliseconds.
    unknown_percentage : float
        Share of the words that are drawn from ``_unknown_``, in percent; the others are drawn
        evenly from the wanted words. A clip may be drawn more than once.
    background_volume : float
        Each piece of noise, a clip and half a second long, has a volume from 0 to this; where
        pieces overlap they add up. Shorter recordings of noise are not drawn from.
    word_volume : float
        Of all words; 1 leaves them as they are.
    seed : int

    Returns
    -------
    Recording

    Raises
    ------
    ValueError
        If a number is out of range, not even one word fits in, noise is asked for and there is
        none, or a label has no clip.
    """
    _check(seconds, word_gap_ms, unknown_percentage, background_volume, word_volume)
    rate, length = examples.clips.sample_rate, examples.clips.steps.shape[1]
    rng = np.random.default_rng(seed)
    track = np.zeros(round(seconds * rate), np.float32)
    clip_ms = 1000 * length / rate
    slots = int(len(track) // ((clip_ms + word_gap_ms) * rate / 1000))
    if slots < 1:
        raise ValueError(
            f"A recording of {seconds:g} s has no room for a word of {clip_ms:g} ms and a gap of"
            f" {word_gap_ms:g} ms; expected at least one; make it longer or the gap shorter."
        )
    _lay_noise(track, examples, background_volume, rng)
    pools = _pools(examples, unknown_percentage)
    truth, ends, speakers = [], [], []
    for slot in range(slots):
        start_ms = int(slot * (clip_ms + word_gap_ms) + rng.integers(max(int(word_gap_ms), 1)))
        label, row = _draw(examples, pools, unknown_percentage, rng)
        clip = examples.clips.steps[row] / np.float32(32768)
        _mix(track, milliseconds_to_samples(start_ms, rate), clip * word_volume,
             milliseconds_to_samples(_WORD_RAMP_MS, rate))  # fmt: skip
        truth.append((label, start_ms))
        ends.append(start_ms + round(1000 * active_span(clip, rate)[1] / rate))
        speakers.append(examples.speakers[row])
    np.clip(track, -1, 1, out=track)
    return Recording(track, rate, tuple(truth), tuple(ends), tuple(speakers))


def _check(
    seconds: float, gap_ms: float, unknown: float, background_volume: float, word_volume: float
) -> None:
    """Refuse what cannot be made."""
    for name, value, most in (
        ("seconds", seconds, math.inf),
        ("word_gap_ms", gap_ms, math.inf),
        ("unknown_percentage", unknown, 100),
        ("background_volume", background_volume, 1),
        ("word_volume", word_volume, 1),
    ):
        # Written so that a NaN, for which every comparison is false, is refused as well.
        if not (0 <= value <= most and math.isfinite(value)):
            upper = f"to {most:g}" if math.isfinite(most) else "up"
            raise ValueError(f"{name} is {value}; expected a number from 0 {upper}; change it.")


def _pools(examples: ExampleSet, unknown_percentage: float) -> dict[str, np.ndarray]:
    """The clips of every label that may be drawn."""
    wanted = [each for each in examples.labels if each not in (SILENCE, UNKNOWN)]
    drawn = (wanted or ["any word"]) * (unknown_percentage < 100)
    drawn += [UNKNOWN] * (unknown_percentage > 0)
    numbers = {label: number for number, label in enumerate(examples.labels)}
    pools = {}
    for label in drawn:
        pools[label] = np.flatnonzero(examples.classes == numbers.get(label, -1))
        if not len(pools[label]):
            raise ValueError(
                f"There is no clip of {label!r} among the {examples.n} given; expected at least one"
                " of every label; take a part that has it, or leave the word out of the selection"
                " (unknown_percentage=0 does without unknown words)."
            )
    return pools


def _draw(
    examples: ExampleSet, pools: dict, unknown_percentage: float, rng: np.random.Generator
) -> tuple[str, int]:
    """A label, and the place of one of its clips."""
    label = UNKNOWN
    if not rng.uniform(0, 100) < unknown_percentage:
        wanted = [each for each in pools if each != UNKNOWN]
        label = wanted[rng.integers(len(wanted))]
    return label, int(rng.choice(pools[label]))


def _lay_noise(
    track: np.ndarray, examples: ExampleSet, volume: float, rng: np.random.Generator
) -> None:
    """One piece of noise after another, each fading into the next."""
    if not volume:
        return
    rate, length = examples.clips.sample_rate, examples.clips.steps.shape[1]
    crossover = milliseconds_to_samples(_CROSSOVER_MS, rate)
    noise = [each for each in examples.noise if len(each) > length + crossover]
    if not noise:
        raise ValueError(
            f"There is no recording of background noise that is longer than"
            f" {1000 * (length + crossover) / rate:g} ms; expected at least one for"
            f" background_volume={volume:g}; add one, or set background_volume to 0."
        )
    for start in range(0, len(track), length):
        recording = noise[rng.integers(len(noise))]
        begin = rng.integers(len(recording) - length - crossover)
        piece = recording[begin : begin + length + crossover] / np.float32(32768)
        _mix(track, start, piece * np.float32(rng.uniform(0, volume)), crossover // 2)


def _mix(track: np.ndarray, start: int, piece: np.ndarray, ramp: int) -> None:
    """Add a piece to the track, louder and louder at its beginning, softer at its end."""
    rising = np.minimum(np.arange(len(piece), dtype=np.float32) / max(ramp, 1), 1)
    room = len(track) - start
    track[start : start + len(piece)] += (piece * rising * rising[::-1])[:room]
