"""Google Speech Commands: one-second recordings of single words, and everything in its layout.

The layout is ``<word>/<speaker>_nohash_<n>.wav``, recordings of background noise in
``_background_noise_``, and two lists that say which clips are for validation and testing. Sets
without the lists are split by a hash of the speaker's name, so that a voice is never on both
sides.

Source: Pete Warden, *Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition*, 2018,
arXiv:1804.03209.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from course_utils import places
from course_utils.datasets import cards, download
from course_utils.datasets.splits import PARTS, partition, read_lists

__all__ = ["BACKGROUND", "PARTS", "SpeechCommands", "Summary", "open", "partition"]

BACKGROUND = "_background_noise_"


def open(name: str = "speech_commands_mini", root: Path | None = None) -> "SpeechCommands":
    """Bring a set in if it is not there yet, and open it.

    Parameters
    ----------
    name : str
        ``"speech_commands_mini"`` (shipped) or ``"speech_commands"`` (real recordings).
    root : Path, optional
        Folder that holds the set's folder (see ``download.fetch``).

    Returns
    -------
    SpeechCommands

    Raises
    ------
    DownloadError
        If the set is not there and cannot be brought in.
    ValueError
        If there is no such set, or it is not in the official layout.
    """
    card = cards.load(name)
    return SpeechCommands(download.fetch(card, root), card)


@dataclass(frozen=True)
class Summary:
    """What is in a set.

    Attributes
    ----------
    name : str
        Title of the set, or the name of its folder.
    words, clips, speakers : int
        How many there are.
    parts : dict
        Clips per part.
    split_by : str
        What decides the parts: the two lists, or the hash of the speaker's name.
    backgrounds : int
        Recordings of background noise.
    listed_but_missing : tuple of str
        Clips that a list names and that are not there, as ``word/file``.
    left_out : tuple of str
        Files and empty folders that are not part of the layout, relative to the root.
    official_clips : int or None
        How many clips the whole set has.
    """

    name: str
    words: int
    clips: int
    speakers: int
    parts: dict[str, int]
    split_by: str
    backgrounds: int
    listed_but_missing: tuple[str, ...]
    left_out: tuple[str, ...]
    official_clips: int | None

    def __str__(self) -> str:
        """A few sentences for people."""
        parts = ", ".join(f"{part} {self.parts[part]:,}" for part in PARTS)
        lines = [
            f"{self.name}: {self.clips:,} clips of {self.words} words by {self.speakers:,}"
            f" speakers, {self.backgrounds} background recordings.",
            f"Parts by {self.split_by}: {parts}.",
        ]
        whole = self.official_clips
        if whole and self.clips < whole:
            share = 100 * self.clips / whole
            lines.append(f"Partial: {share:.1f} % of the {whole:,} clips of the whole set.")
        elif whole == self.clips:
            lines.append(f"Whole: all {whole:,} clips are there.")
        lines += _listing("listed clips are missing", self.listed_but_missing)
        lines += _listing("files or folders were left out", self.left_out)
        return "\n".join(lines)


def _listing(what: str, items: tuple[str, ...]) -> list[str]:
    """A line that counts items and names the first few."""
    if not items:
        return []
    more = ", …" if len(items) > 5 else ""
    return [f"{len(items):,} {what}: {', '.join(items[:5])}{more}."]


class SpeechCommands:
    """A set of spoken words in the layout of Google Speech Commands.

    Parameters
    ----------
    root : path-like
        The folder that holds the word folders. It is only read.
    card : cards.Card, optional
        The card to compare the counts with; a learner's own folder has none.
    validation_percentage, testing_percentage : float
        Approximate share of the two parts in percent. Only a set without lists is split by them.

    Attributes
    ----------
    root : Path
    words : list of str
        Word folders in alphabetical order, without ``_background_noise_``.
    split_by : str
        What decides the parts: the two lists, or the hash of the speaker's name.

    Raises
    ------
    ValueError
        If there are no recordings, the lists are incomplete or contradict each other, or the
        percentages are impossible (see :func:`partition`).
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        card: cards.Card | None = None,
        *,
        validation_percentage: float = 10,
        testing_percentage: float = 10,
    ) -> None:
        self._shares = validation_percentage, testing_percentage
        partition("", *self._shares)  # refuses impossible ones here, not at the first clip
        self.root = Path(root)
        self._card = card
        self._clips, self._left_out = _scan(self.root)
        self.words = sorted(self._clips)
        if not self.words:
            raise ValueError(
                f"No .wav files in {places.shown(self.root)}: word folders such as yes/ with .wav"
                " files in them were expected; check the folder, or delete it so that the set is"
                " brought in again."
            )
        self._names = {f"{word}/{name}" for word in self.words for name in self._clips[word]}
        self._listed = read_lists(self.root)
        listed = self._listed is not None
        self.split_by = "the set's lists" if listed else "hash of the speaker's name"

    def clips(self, word: str | None = None, part: str | None = None) -> list[Path]:
        """Paths of the clips, sorted by word and file name.

        Parameters
        ----------
        word : str, optional
            Only this word; by default all words.
        part : {"training", "validation", "testing"}, optional
            Only this part; by default all parts.

        Returns
        -------
        list of Path

        Raises
        ------
        ValueError
            If there is no such word or part.
        """
        if word is not None and word not in self._clips:
            raise ValueError(_unknown("word", word, self.words, self.root))
        if part is not None and part not in PARTS:
            raise ValueError(_unknown("part", part, PARTS, self.root))
        words = self.words if word is None else [word]
        names = (f"{each}/{name}" for each in words for name in self._clips[each])
        return [self.root / name for name in names if part in (None, self._part(name))]

    def part_of(self, path: str | os.PathLike[str]) -> str:
        """Which part a clip belongs to; the set's own lists win over the hash.

        Parameters
        ----------
        path : path-like
            A clip of this set: its path, or ``word/file``.

        Returns
        -------
        str
            ``"training"``, ``"validation"`` or ``"testing"``.

        Raises
        ------
        ValueError
            If the set has no such clip.
        """
        name = "/".join(Path(path).parts[-2:])
        if name not in self._names:
            raise ValueError(
                f"{name!r} is not a clip in {places.shown(self.root)}: a path that clips() gives"
                " was expected; for the official part of any other file name use partition()."
            )
        return self._part(name)

    def speaker(self, path: str | os.PathLike[str]) -> str:
        """The name of the speaker of a clip: its file name up to ``_nohash_``."""
        return _speaker(Path(path).name)

    def backgrounds(self) -> list[Path]:
        """Paths of the recordings of background noise, sorted; empty when there is no folder."""
        return sorted(
            path for path in (self.root / BACKGROUND).glob("*.wav") if not path.name.startswith(".")
        )

    def summary(self) -> Summary:
        """Count everything, and name what is missing or was left out."""
        parts = Counter(self._part(name) for name in self._names)
        listed = self._listed or {}
        return Summary(
            name=self._card.title if self._card else self.root.name,
            words=len(self.words),
            clips=len(self._names),
            speakers=len({_speaker(name) for names in self._clips.values() for name in names}),
            parts={part: parts[part] for part in PARTS},
            split_by=self.split_by,
            backgrounds=len(self.backgrounds()),
            listed_but_missing=tuple(sorted(set(listed) - self._names)),
            left_out=tuple(self._left_out),
            official_clips=self._card.counts.get("clips") if self._card else None,
        )

    def _part(self, name: str) -> str:
        """The part of ``word/file``."""
        if self._listed is None:
            return partition(name, *self._shares)
        return self._listed.get(name, "training")


def _speaker(name: str) -> str:
    """The speaker in a clip's file name."""
    return name.partition("_nohash_")[0].removesuffix(".wav")


def _scan(root: Path) -> tuple[dict[str, list[str]], list[str]]:
    """Clips by word, both sorted, and what else lies in the folders."""
    clips: dict[str, list[str]] = {}
    left_out = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if folder.name.startswith(".") or folder.name == BACKGROUND or not folder.is_dir():
            continue
        names = sorted(os.listdir(folder))
        # Hidden ones are a file manager's: macOS leaves ._x.wav beside x.wav, and it is no sound.
        found = [name for name in names if name.endswith(".wav") and not name.startswith(".")]
        left_out += [f"{folder.name}/{name}" for name in sorted(set(names) - set(found))]
        if found:
            clips[folder.name] = found
        elif not names:
            left_out.append(f"{folder.name}/")
    return clips, left_out


def _unknown(what: str, found: str, choices: list[str] | tuple[str, ...], root: Path) -> str:
    """The sentence for a name that is not among the choices."""
    return (
        f"There is no {what} {found!r} in {places.shown(root)}: choose one of {', '.join(choices)}."
    )
