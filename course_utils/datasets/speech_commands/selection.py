"""Which clips carry which label: wanted words, ``_unknown_`` and ``_silence_``.

Source: ``prepare_data_index`` in TensorFlow's ``speech_commands`` example. As there, the two extra
labels are added as a percentage of the wanted clips of each part, so that 10 and 10 make each a
twelfth of the whole.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils import places
from course_utils.datasets.speech_commands.layout import BACKGROUND, PARTS, SpeechCommands

SILENCE, UNKNOWN = "_silence_", "_unknown_"
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
"""The ten words that the tutorial's recogniser is trained on."""


@dataclass(frozen=True)
class Selection:
    """The clips of every part, with their labels.

    Attributes
    ----------
    labels : tuple of str
        ``_silence_``, ``_unknown_``, then the wanted words in the order given.
    paths : dict
        For each part a tuple of paths, None for silence.
    classes : dict
        For each part the place of each clip's label in ``labels``, int32.
    """

    labels: tuple[str, ...]
    paths: dict[str, tuple[Path | None, ...]]
    classes: dict[str, np.ndarray]

    def __str__(self) -> str:
        """How many clips each label has in each part, as a table."""
        width = max(len(label) for label in self.labels)
        lines = [" " * width + "".join(f"{part:>12}" for part in PARTS)]
        for index, label in enumerate(self.labels):
            counts = (int((self.classes[part] == index).sum()) for part in PARTS)
            lines.append(f"{label:<{width}}" + "".join(f"{count:12,}" for count in counts))
        totals = "".join(f"{len(self.paths[part]):12,}" for part in PARTS)
        return "\n".join([*lines, f"{'all':<{width}}{totals}"])


def select(
    data: SpeechCommands,
    wanted_words: Sequence[str] = COMMANDS,
    *,
    unknown_percentage: float = 10,
    silence_percentage: float = 10,
    seed: int = 59185,
) -> Selection:
    """Choose the clips to train, validate and test on.

    Parameters
    ----------
    data : SpeechCommands
        The set; it decides which part a clip belongs to.
    wanted_words : sequence of str
        Words with a label of their own; all others are ``_unknown_``.
    unknown_percentage, silence_percentage : float
        Clips of the two extra labels, in percent of the wanted clips of the same part. Unknown
        clips are drawn from all words that are not wanted, as many as there are.
    seed : int
        Decides which unknown clips are drawn, and the order of the clips.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If a wanted word is missing, has a space around it, is written in another case, given twice
        or the name of an extra label; a percentage is negative or no number; silence is asked for
        without recordings of background noise; or a part has no wanted clips.
    """
    if not isinstance(wanted_words, str):
        wanted_words = tuple(wanted_words)
    _check_words(data, wanted_words)
    _check_percentages(data, unknown_percentage, silence_percentage)
    labels = (SILENCE, UNKNOWN, *wanted_words)
    paths, classes = {}, {}
    for number, part in enumerate(PARTS):
        rng = np.random.default_rng([seed, number])
        wanted = [(path, word) for word in wanted_words for path in data.clips(word, part)]
        if not wanted:
            raise ValueError(_empty(data, part))
        others = [p for w in data.words if w not in wanted_words for p in data.clips(w, part)]
        silent = [(None, SILENCE)] * math.ceil(len(wanted) * silence_percentage / 100)
        unknown = math.ceil(len(wanted) * unknown_percentage / 100)
        drawn = [(others[i], UNKNOWN) for i in rng.permutation(len(others))[:unknown]]
        chosen = wanted + silent + drawn
        order = rng.permutation(len(chosen))
        paths[part] = tuple(chosen[i][0] for i in order)
        classes[part] = np.array([labels.index(chosen[i][1]) for i in order], np.int32)
    return Selection(labels, paths, classes)


def _check_words(data: SpeechCommands, wanted: Sequence[str]) -> None:
    """Refuse wanted words that would make a label nobody can predict."""
    if isinstance(wanted, str) or not wanted:
        raise ValueError(
            f"wanted_words is {wanted!r}; expected a list of words such as ['yes', 'no']; put the "
            "words into a list."
        )
    twice = [word for word, count in Counter(wanted).items() if count > 1]
    if twice:
        raise ValueError(
            f"wanted_words has {', '.join(map(repr, twice))} more than once; expected every word "
            "once; remove the repetition."
        )
    for word in wanted:
        if word in (SILENCE, UNKNOWN):
            raise ValueError(
                f"wanted_words has {word!r}, which select() adds by itself; expected words only;"
                " remove it, and set its share with silence_percentage or unknown_percentage."
            )
        if word not in data.words:
            raise ValueError(_missing(data, word))


def _missing(data: SpeechCommands, word: str) -> str:
    """The sentence for a wanted word that has no folder."""
    where = places.shown(data.root)
    bare = str(word).strip()
    if bare != word and bare in data.words:
        hint = f"there is {bare!r}: remove the space around it"
    elif alike := [each for each in data.words if each.lower() == bare.lower()]:
        hint = f"there is {alike[0]!r}: words are told apart by case, write it like the folder"
    else:
        hint = f"its words are {', '.join(data.words)}: choose among them"
    return f"The wanted word {word!r} has no folder with .wav files in {where}; {hint}."


def _check_percentages(data: SpeechCommands, unknown: float, silence: float) -> None:
    """Refuse shares that cannot be drawn."""
    for name, value in (("unknown_percentage", unknown), ("silence_percentage", silence)):
        if not 0 <= value < math.inf:
            raise ValueError(
                f"{name} is {value}; expected 0 or more, in percent of the wanted clips; 10 is "
                "usual."
            )
    if silence and not data.backgrounds():
        raise ValueError(
            f"silence_percentage is {silence}, but {places.shown(data.root)} has no recordings in "
            f"{BACKGROUND}, which silence is cut from; put some .wav files of noise there, "
            "or set silence_percentage=0."
        )


def _empty(data: SpeechCommands, part: str) -> str:
    """The sentence for a part without wanted clips."""
    speakers = len({data.speaker(path) for path in data.clips()})
    return (
        f"The {part} part of {places.shown(data.root)} has no clips of the wanted words; expected"
        f" voices in all three parts, and there are {speakers} by their file names"
        f" (<speaker>_nohash_<n>.wav), split by {data.split_by}; record more speakers, or change"
        " the lists or percentages that split them."
    )
