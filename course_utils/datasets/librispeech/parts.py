"""What a part of LibriSpeech holds: utterances, who speaks them, and what was left out.

Source: Vassil Panayotov, Guoguo Chen, Daniel Povey, Sanjeev Khudanpur, *LibriSpeech: an ASR corpus
based on public domain audio books*, ICASSP 2015. Lesson: 06.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import audio
from course_utils.features.text import describe_dropped

SAMPLE_RATE = 16_000
"""What every utterance is heard at, in Hz."""

OFFICIAL = {
    "dev-clean": 2_703,
    "dev-other": 2_864,
    "test-clean": 2_620,
    "test-other": 2_939,
    "train-clean-100": 28_539,
    "train-clean-360": 104_014,
    "train-other-500": 148_688,
}
"""Utterances of each official part."""


@dataclass(frozen=True)
class Utterance:
    """One recording and what is said in it.

    Attributes
    ----------
    utterance_id : str
        ``speaker-chapter-number``, for example ``84-121123-0003``.
    path : Path
    speaker, chapter : str
    transcript : str
        As it is written in the part.
    text : str
        Normalised, so that ``text.LETTERS.encode`` takes it.
    seconds : float
        Length by the file's header.
    dropped : Counter
        How often each character was dropped on the way from transcript to text.
    """

    utterance_id: str
    path: Path = field(repr=False)  # absolute, and a repr ends up in notebooks
    speaker: str
    chapter: str
    transcript: str
    text: str
    seconds: float
    dropped: Counter[str] = field(default_factory=Counter, repr=False, compare=False)

    def load(self) -> tuple[np.ndarray, int]:
        """The sound: several channels become their mean, another rate is resampled to 16 kHz.

        Returns
        -------
        (np.ndarray of float32, shape (samples,), int)
            Samples in [-1, 1] and their rate in Hz.

        Raises
        ------
        audio.AudioError
            If the file is missing or damaged.
        """
        return audio.load(self.path, SAMPLE_RATE)


@dataclass(frozen=True)
class Summary:
    """What is in a part.

    Attributes
    ----------
    name : str
    utterances, speakers, words, distinct_words : int
        How many there are.
    seconds : float
    text_dropped : Counter
        How often each character was dropped from the transcripts.
    left_out : mapping of str to tuple of str
        Names of what is in the folder but not in the part, by reason.
    there : int
        Usable utterances in the folder, of which a selection holds fewer.
    official : int or None
        Utterances of the whole part where it is an official one.
    """

    name: str
    utterances: int
    speakers: int
    seconds: float
    words: int
    distinct_words: int
    text_dropped: Counter[str]
    left_out: Mapping[str, tuple[str, ...]]
    there: int
    official: int | None

    def __str__(self) -> str:
        """A few sentences for people."""
        hours = self.seconds / 3600
        length = f"{hours:,.1f} hours" if hours >= 2 else f"{hours * 60:.1f} minutes"
        lines = [
            f"{self.name}: {self.utterances:,} utterances by {self.speakers:,} speakers, {length},"
            f" {self.words:,} words ({self.distinct_words:,} different).",
            f"Texts: {describe_dropped(self.text_dropped)}.",
        ]
        if self.utterances < self.there:
            lines.append(f"Selected from the {self.there:,} utterances that are there.")
        if self.official and self.there < self.official:
            share = 100 * self.there / self.official
            lines.append(f"Partial: {share:.1f} % of the {self.official:,} of the whole part.")
        elif self.official == self.there:
            lines.append(f"Whole: all {self.official:,} utterances are there.")
        for reason, names in self.left_out.items():
            more = ", …" if len(names) > 5 else ""
            lines.append(f"Left out, {reason}: {len(names):,} ({', '.join(names[:5])}{more}).")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Part:
    """Utterances in the order of their names; selections of them are parts, too.

    Attributes
    ----------
    name : str
        Name of the folder; a selection keeps it.
    utterances : tuple of Utterance
    left_out : mapping of str to tuple of str
        Names of what was left out of the folder, by reason.
    there : int
        Usable utterances in the folder; by default those given.
    official : int or None
        Utterances of the whole part where it is an official one.

    Raises
    ------
    ValueError
        If there are no utterances; also where nothing would be selected.
    """

    name: str
    utterances: tuple[Utterance, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    there: int = 0  # always above zero once made
    official: int | None = None

    def __post_init__(self) -> None:
        if not self.utterances:
            raise ValueError(
                f"No utterance of {self.name} is left; expected at least one; select others, or"
                " fewer to leave out."
            )
        object.__setattr__(self, "there", self.there or len(self.utterances))

    def __repr__(self) -> str:
        return f"Part({self.name}: {len(self):,} utterances, {len(self.speakers):,} speakers)"

    def __len__(self) -> int:
        return len(self.utterances)

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def __getitem__(self, number: int) -> Utterance:
        return self.utterances[number]

    @property
    def speakers(self) -> list[str]:
        """Everybody who speaks, sorted."""
        return sorted({each.speaker for each in self})

    @property
    def seconds(self) -> float:
        """How long all utterances last together."""
        return sum(each.seconds for each in self)

    @property
    def text_dropped(self) -> Counter[str]:
        """How often each character was dropped from the transcripts."""
        dropped: Counter[str] = Counter()
        for each in self:
            dropped.update(each.dropped)
        return dropped

    def of_speakers(self, speakers: Iterable[str]) -> "Part":
        """Only what these speakers say; ValueError if one of them says nothing here."""
        wanted = {speakers} if isinstance(speakers, str) else set(speakers)
        self._check("speaker", wanted, self.speakers)
        return self._selected(each for each in self if each.speaker in wanted)

    def without(self, utterance_ids: Iterable[str]) -> "Part":
        """All but some utterances; ValueError if one of them is not here."""
        unwanted = {utterance_ids} if isinstance(utterance_ids, str) else set(utterance_ids)
        self._check("utterance", unwanted, [each.utterance_id for each in self])
        return self._selected(each for each in self if each.utterance_id not in unwanted)

    def first(self, count: int) -> "Part":
        """The first utterances, or all where there are fewer; ValueError below one."""
        return self._selected(self.utterances[: max(count, 0)])

    def split(self, share: float, seed: int) -> "tuple[Part, Part]":
        """Hold some speakers out.

        Parameters
        ----------
        share : float
            Of the speakers, above 0 and below 1; at least one is held out and one stays.
        seed : int
            Decides who.

        Returns
        -------
        (Part, Part)
            What stays, and what is held out. No speaker is in both.

        Raises
        ------
        ValueError
            If the share is none, or there is only one speaker.
        """
        speakers = self.speakers
        if not 0 < share < 1 or len(speakers) < 2:
            raise ValueError(
                f"Found share={share} and {len(speakers)} speaker(s) in {self.name}; expected a"
                " number between 0 and 1, and at least two speakers; 0.1 is usual."
            )
        count = min(max(1, round(share * len(speakers))), len(speakers) - 1)
        held = set(np.random.default_rng(seed).permutation(speakers)[:count].tolist())
        return self.of_speakers(set(speakers) - held), self.of_speakers(held)

    def summary(self) -> Summary:
        """Count everything, and name what was left out."""
        words = Counter(word for each in self for word in each.text.split())
        return Summary(
            name=self.name,
            utterances=len(self),
            speakers=len(self.speakers),
            seconds=self.seconds,
            words=words.total(),
            distinct_words=len(words),
            text_dropped=self.text_dropped,
            left_out=self.left_out,
            there=self.there,
            official=self.official,
        )

    def _selected(self, utterances: Iterable[Utterance]) -> "Part":
        return replace(self, utterances=tuple(utterances))

    def _check(self, what: str, names: set[str], known: list[str]) -> None:
        """Refuse names that nobody here has."""
        if unknown := sorted(names - set(known)):
            more = ", …" if len(known) > 5 else ""
            raise ValueError(
                f"There is no {what} {unknown[0]!r} in {self.name} ({len(unknown)} such name(s));"
                f" expected some of {', '.join(known[:5])}{more}; correct the names."
            )


class Shared(NamedTuple):
    """What two parts have in common, each a set of str: speakers, and sentences as texts."""

    speakers: set[str]
    sentences: set[str]


def shared(part_a: Part, part_b: Part) -> Shared:
    """The speakers and the sentences that two parts both hold: between training and test, none."""
    return Shared(
        {each.speaker for each in part_a} & {each.speaker for each in part_b},
        {each.text for each in part_a} & {each.text for each in part_b},
    )
