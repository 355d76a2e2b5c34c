"""The sounds that scenes are made of: trigger words, other words, background noise.

They come from the folders of the source's ``raw_data``, which a learner's own recordings fit into,
or from a word of Speech Commands with the other words as negatives.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from course_utils import audio, places
from course_utils.audio.errors import name_of
from course_utils.datasets.speech_commands import PARTS, SpeechCommands, read_clips
from course_utils.datasets.speech_commands.clips import read_backgrounds
from course_utils.features.activity import active_span

FOLDERS = ("activates", "negatives", "backgrounds")
"""Trigger words, other words and noise, as the folders of ``raw_data`` are called."""

_ENDINGS = (".wav", ".flac", ".ogg", ".mp3")
# Each part has its own stretch of every background recording, as shares of its length.
_STRETCHES = {"training": (0.0, 0.4), "validation": (0.4, 0.7), "testing": (0.7, 1.0)}
_MOST_NEGATIVES = 3000


@dataclass(frozen=True)
class Clip:
    """One word, cut to where it is heard.

    Attributes
    ----------
    samples : np.ndarray of float32, shape (samples,)
    text : str
        The word, or the name of the folder that it came from.
    speaker : str
        Who says it, as far as the file's name tells: all before ``_nohash_``.
    rms : float
        Root of the mean square of the samples.
    """

    samples: np.ndarray
    text: str
    speaker: str
    rms: float


@dataclass(frozen=True)
class Sounds:
    """What scenes are made of.

    Attributes
    ----------
    triggers, negatives : tuple of Clip
    backgrounds : tuple of np.ndarray of float32, shape (samples,)
    sample_rate : int
        Of all of them, in Hz.
    """

    triggers: tuple[Clip, ...]
    negatives: tuple[Clip, ...]
    backgrounds: tuple[np.ndarray, ...]
    sample_rate: int

    def __str__(self) -> str:
        """One line for people."""
        voices = len({clip.speaker for clip in (*self.triggers, *self.negatives)})
        minutes = sum(map(len, self.backgrounds)) / self.sample_rate / 60
        return (
            f"{len(self.triggers):,} trigger words, {len(self.negatives):,} other words,"
            f" {voices:,} speakers, {minutes:.1f} minutes of background"
        )

    def split(self, percentage: float = 20, seed: int = 0) -> "tuple[Sounds, Sounds]":
        """Set a part aside: no speaker, and no stretch of background, is on both sides.

        Parameters
        ----------
        percentage : float
            Of the speakers, above 0 and below 100, and of each background recording's length.
            Where all triggers are by one speaker, the clips of this speaker are shared out instead,
            and the figures then hold for this speaker only. The same goes for the only speaker who
            says nothing but other words.
        seed : int

        Returns
        -------
        (Sounds, Sounds)
            What stays, and what is set aside.

        Raises
        ------
        ValueError
            If the percentage is none, or a side would have no trigger.
        """
        if not 0 < percentage < 100:
            raise ValueError(
                f"percentage is {percentage}; expected a number between 0 and 100; 20 is usual."
            )
        rng = np.random.default_rng(seed)
        callers = {clip.speaker for clip in self.triggers}
        others = {clip.speaker for clip in self.negatives} - callers
        alone = set().union(*(group for group in (callers, others) if len(group) == 1))
        aside = _drawn(callers, percentage, rng) | _drawn(others, percentage, rng)
        sides: tuple[dict, dict] = {}, {}  # what stays, what is set aside
        for name in ("triggers", "negatives"):
            clips = getattr(self, name)
            shared = [number for number, clip in enumerate(clips) if clip.speaker in alone]
            drawn = _drawn(shared, percentage, rng)
            held = [clip.speaker in aside or number in drawn for number, clip in enumerate(clips)]
            for out, side in enumerate(sides):
                side[name] = tuple(
                    c for c, is_out in zip(clips, held, strict=True) if is_out == out
                )
        if not all(side["triggers"] for side in sides):
            raise ValueError(
                f"There are {len(self.triggers)} trigger words to split; expected at least two;"
                " record more."
            )
        cuts = [int(len(each) * (1 - percentage / 100)) for each in self.backgrounds]
        pairs = list(zip(self.backgrounds, cuts, strict=True))
        sides[0]["backgrounds"] = tuple(each[:cut] for each, cut in pairs)
        sides[1]["backgrounds"] = tuple(each[cut:] for each, cut in pairs)
        return replace(self, **sides[0]), replace(self, **sides[1])


def _drawn(names: Sequence, percentage: float, rng: np.random.Generator) -> set:
    """A share of the names, at least one and never all; none of fewer than two."""
    names = sorted(names)
    count = min(max(1, round(len(names) * percentage / 100)), len(names) - 1) if names else 0
    return set(rng.permutation(np.array(names, dtype=object))[:count].tolist())


def from_folder(folder: str | os.PathLike[str], sample_rate: int | None = None) -> Sounds:
    """Read ``activates``, ``negatives`` and ``backgrounds`` in a folder; recordings of any length.

    Parameters
    ----------
    folder : path-like
        ``raw_data`` of the source, or the folder that the recorder of lesson 05 writes to.
    sample_rate : int, optional
        What all are resampled to, in Hz; by default the rate of the first trigger word.

    Returns
    -------
    Sounds

    Raises
    ------
    audio.AudioError
        If a file cannot be read, or is digital silence, which no level can be given.
    ValueError
        If there is no trigger word or no background.
    """
    folder = Path(folder)
    paths = {
        name: sorted(p for p in (folder / name).glob("*") if p.suffix.lower() in _ENDINGS)
        for name in FOLDERS
    }
    for name in ("activates", "backgrounds"):
        if not paths[name]:
            raise ValueError(
                f"There are no sound files in {places.shown(folder / name)}; expected at least"
                f" one of {', '.join(_ENDINGS)}; record some there."
            )
    rate = sample_rate or audio.load(paths["activates"][0])[1]
    triggers, negatives = (
        tuple(_clip(*audio.load(path, rate), name, path) for path in paths[name])
        for name in FOLDERS[:2]
    )
    backgrounds = tuple(audio.load(path, rate)[0] for path in paths["backgrounds"])
    return Sounds(triggers, negatives, backgrounds, rate)


def from_speech_commands(
    data: SpeechCommands, word: str, part: str, *, sample_rate: int | None = None, seed: int = 0
) -> Sounds:
    """One word of a Speech Commands folder as the trigger, all others as negatives.

    Parameters
    ----------
    data : SpeechCommands
    word : str
    part : {"training", "validation", "testing"}
        Decides whose voices, and which stretch of each background recording.
    sample_rate : int, optional
        What all are resampled to, in Hz; the clips' own by default.
    seed : int
        Decides which negatives are drawn where there are more than 3,000.

    Returns
    -------
    Sounds

    Raises
    ------
    audio.AudioError
        As ``read_clips``, and where a clip is digital silence.
    ValueError
        If there is no such word or part, or the part has no clip of the word or no background.
    """
    if part not in PARTS:
        raise ValueError(f"There is no part {part!r}; choose one of {', '.join(PARTS)}.")
    triggers = data.clips(word, part)
    others = [path for each in data.words if each != word for path in data.clips(each, part)]
    chosen = np.random.default_rng(seed).permutation(len(others))[:_MOST_NEGATIVES]
    if not triggers or not data.backgrounds():
        lacking = f"clips of {word!r}" if not triggers else "recordings of background noise"
        raise ValueError(
            f"The {part} part of {places.shown(data.root)} has no {lacking}; expected at least"
            " one; choose another word or another part, or add some."
        )
    paths = [*triggers, *(others[place] for place in np.sort(chosen))]
    read = read_clips(paths)
    rate = sample_rate or read.sample_rate
    clips = []
    for path, steps in zip(paths, read.steps, strict=True):
        samples = audio.resample(steps / np.float32(32768), read.sample_rate, rate)
        clips.append(_clip(samples, rate, path.parent.name, path))
    low, high = _STRETCHES[part]
    backgrounds = tuple(
        audio.resample(
            each[int(low * len(each)) : int(high * len(each))] / np.float32(32768),
            read.sample_rate, rate,
        )
        for each in read_backgrounds(data.backgrounds(), read.sample_rate)
    )  # fmt: skip
    return Sounds(tuple(clips[: len(triggers)]), tuple(clips[len(triggers) :]), backgrounds, rate)


def _clip(samples: np.ndarray, sample_rate: int, text: str, path: Path) -> Clip:
    """A recording cut to its word."""
    if not samples.any():
        raise audio.AudioError(
            f"{name_of(path)} is digital silence; expected a word, whose loudness can be set;"
            " record it again."
        )
    start, end = active_span(samples, sample_rate)
    word = samples[start:end]
    speaker = path.stem.partition("_nohash_")[0] if "_nohash_" in path.stem else ""
    return Clip(word, text, speaker, rms(word))


def rms(samples: np.ndarray) -> float:
    """Root of the mean square of some samples."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
