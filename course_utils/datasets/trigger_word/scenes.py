"""Scenes: some seconds of background with trigger words and other words in it, and their labels.

Source: ``create_training_example`` of the deeplearning.ai assignment "Trigger Word Detection".
Other than there, a seed decides everything, the levels of words and noise vary from scene to scene,
and clips of any length find their places (see ``placement``). Lesson: 05.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from course_utils.datasets.trigger_word.placement import place
from course_utils.datasets.trigger_word.sounds import Clip, Sounds, rms

# What a word is heard with before and after: nothing, in three milliseconds, so that it does not
# click where it was cut out.
_RAMP_MS = 3
_ATTEMPTS = 20  # draws of words that are together too long for a scene


@dataclass(frozen=True)
class Mix:
    """How scenes are made.

    Attributes
    ----------
    seconds : float
        Length of a scene.
    triggers, negatives : (int, int)
        Fewest and most of each in a scene.
    word_dbfs, background_dbfs : (float, float)
        Lowest and highest level of a word and of the background, in dB relative to full scale:
        20 log10 of the root mean square.
    gap_ms : float
        Words keep at least this distance from each other, and from the scene's end.
    speed_percentage : float
        A word is played up to this much faster or slower; pitch follows.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    seconds: float = 10.0
    triggers: tuple[int, int] = (0, 4)
    negatives: tuple[int, int] = (0, 2)
    word_dbfs: tuple[float, float] = (-30.0, -18.0)
    background_dbfs: tuple[float, float] = (-55.0, -35.0)
    gap_ms: float = 0.0
    speed_percentage: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if not (0 < self.seconds < math.inf and 0 <= self.gap_ms < math.inf):
            raise ValueError(
                f"seconds is {self.seconds} and gap_ms {self.gap_ms}; expected a length above 0"
                " and a gap from 0 up; change them."
            )
        limits = {"triggers": (0, 1000), "negatives": (0, 1000),
                  "word_dbfs": (-120, 0), "background_dbfs": (-200, 0)}  # fmt: skip
        for name, (least, most) in limits.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise ValueError(
                    f"{name} is ({low}, {high}); expected a lowest and a highest value between"
                    f" {least} and {most}; change it."
                )
        if not 0 <= self.speed_percentage < 100:
            raise ValueError(
                f"speed_percentage is {self.speed_percentage}; expected 0 to below 100; 0 switches"
                " it off."
            )


@dataclass(frozen=True)
class Word:
    """A word in a scene: what, by whom, and from when to when, in milliseconds."""

    text: str
    speaker: str
    start_ms: float
    end_ms: float
    is_trigger: bool


@dataclass(frozen=True)
class Scene:
    """A sound, and what is said in it.

    Attributes
    ----------
    samples : np.ndarray of float32, shape (samples,)
        In [-1, 1].
    sample_rate : int
        In Hz.
    words : tuple of Word
        In order of time.
    """

    samples: np.ndarray
    sample_rate: int
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.sample_rate

    @property
    def ends_ms(self) -> list[float]:
        """When the trigger words end, in milliseconds."""
        return [word.end_ms for word in self.words if word.is_trigger]

    @property
    def ends_s(self) -> list[float]:
        """When the trigger words end, in seconds."""
        return [end / 1000 for end in self.ends_ms]


class Scenes:
    """As many scenes as one wants, each made when it is asked for, and always the same.

    Parameters
    ----------
    sounds : Sounds
    mix : Mix
    seed : int
        Scene ``i`` of two objects with the same sounds, mix and seed is the same.

    Raises
    ------
    ValueError
        If the mix asks for words of a kind that the sounds have not, or a background is shorter
        than a scene and there is no longer one.
    """

    def __init__(self, sounds: Sounds, mix: Mix | None = None, seed: int = 0) -> None:
        self.sounds, self.mix, self.seed = sounds, mix or Mix(), seed
        self._length = round(self.mix.seconds * sounds.sample_rate)
        for name in ("triggers", "negatives"):
            if getattr(self.mix, name)[1] and not getattr(sounds, name):
                raise ValueError(
                    f"The mix asks for up to {getattr(self.mix, name)[1]} {name} and there is no"
                    f" clip of that kind; expected at least one; record some, or set {name}=(0, 0)."
                )
        self._backgrounds = [each for each in sounds.backgrounds if len(each) >= self._length]
        if not self._backgrounds:
            longest = max((len(each) for each in sounds.backgrounds), default=0)
            raise ValueError(
                f"The longest of {len(sounds.backgrounds)} background recordings lasts"
                f" {longest / sounds.sample_rate:.1f} s; expected one of at least"
                f" {self.mix.seconds:g} s, the length of a scene; record a longer one, or make"
                " scenes shorter."
            )

    def __getitem__(self, number: int) -> Scene:
        """Make one scene.

        Raises
        ------
        ValueError
            If twenty draws of words were all too long for the scene.
        """
        rng = np.random.default_rng([self.seed, number])
        clips, spans = self._chosen(rng)
        track = self._background(rng)
        words = []
        for (clip, is_trigger), (start, _) in zip(clips, spans, strict=True):
            # Always down, so that clips that touch do not overlap; whole samples stay whole.
            first = int(start * self.sounds.sample_rate / 1000 + 1e-6)
            gain = 10 ** (rng.uniform(*self.mix.word_dbfs) / 20) / clip.rms
            _add(track, first, clip.samples, gain, self.sounds.sample_rate)
            begin_ms, end_ms = map(self._milliseconds, (first, first + len(clip.samples)))
            words.append(Word(clip.text, clip.speaker, begin_ms, end_ms, is_trigger))
        # Turning the whole scene down keeps its balance; cutting its peaks would distort it.
        track /= max(1.0, float(np.abs(track).max()))
        words = tuple(sorted(words, key=lambda word: word.start_ms))
        return Scene(track, self.sounds.sample_rate, words)

    def _milliseconds(self, samples: int) -> float:
        return 1000 * samples / self.sounds.sample_rate

    def _chosen(self, rng: np.random.Generator) -> tuple[list[tuple[Clip, bool]], list]:
        """Words, and where they go."""
        mix, total_ms = self.mix, self._milliseconds(self._length)
        for attempt in range(_ATTEMPTS):
            clips = []
            for pool, (low, high), is_trigger in (
                (self.sounds.triggers, mix.triggers, True),
                (self.sounds.negatives, mix.negatives, False),
            ):
                count = int(rng.integers(low, high + 1))
                clips += [
                    (self._heard(pool[i], rng), is_trigger)
                    for i in rng.integers(len(pool) or 1, size=count)
                ]
            lengths = [self._milliseconds(len(clip.samples)) + mix.gap_ms for clip, _ in clips]
            try:
                return clips, place(lengths, total_ms, rng)
            except ValueError:
                # Too long together: other words may fit. If none do, the last sentence says why.
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _heard(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """A clip at its own speed in this scene."""
        change = self.mix.speed_percentage / 100
        if not change:
            return clip
        wanted = np.arange(0, len(clip.samples) - 1, rng.uniform(1 - change, 1 + change))
        samples = np.interp(wanted, np.arange(len(clip.samples)), clip.samples)
        return replace(clip, samples=samples.astype(np.float32), rms=rms(samples))

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        """A piece of noise at a level drawn at random; digital silence stays what it is."""
        recording = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
        start = int(rng.integers(len(recording) - self._length + 1))
        piece = recording[start : start + self._length]
        gain = 10 ** (rng.uniform(*self.mix.background_dbfs) / 20) / (rms(piece) or 1)
        return piece * np.float32(gain)


def label_steps(
    ends_ms: Sequence[float], total_ms: float, steps: int, width: int = 50
) -> np.ndarray:
    """The answer that a detector should give: ones in the steps after each trigger word's end.

    Parameters
    ----------
    ends_ms : sequence of float
        When trigger words end, in milliseconds.
    total_ms : float
        Length of the scene in milliseconds.
    steps : int
        How many answers a scene has; the source's network gives 1375.
    width : int
        How many ones; near the scene's end fewer.

    Returns
    -------
    np.ndarray of float32, shape (steps,)

    Raises
    ------
    ValueError
        If a word ends outside the scene.

    Notes
    -----
    The source's ``insert_ones``: the step in which the word ends stays zero.
    """
    labels = np.zeros(steps, np.float32)
    for end in ends_ms:
        if not 0 <= end <= total_ms + 1e-6:  # a word may end with the scene, and times are rounded
            raise ValueError(
                f"A trigger word ends at {end} ms in a scene of {total_ms:g} ms; expected a time"
                " within it, in milliseconds; change it."
            )
        step = int(end * steps / total_ms)
        labels[step + 1 : step + 1 + width] = 1
    return labels


def _add(track: np.ndarray, start: int, samples: np.ndarray, gain: float, sample_rate: int) -> None:
    """Mix a word in, without a click at its edges."""
    ramp = min(int(_RAMP_MS * sample_rate / 1000), len(samples) // 2)
    word = samples * np.float32(gain)
    rising = np.linspace(0, 1, ramp, dtype=np.float32)
    word[:ramp] *= rising
    word[len(word) - ramp :] *= rising[::-1]
    track[start : start + len(word)] += word
