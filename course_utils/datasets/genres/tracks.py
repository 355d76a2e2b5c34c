"""Pieces of music, each with its genre, its artist and its part, and what is done with a set.

An artist's tracks sound alike: the same voice, instruments, room and mastering. A model that was
trained on an artist recognises the artist in the test, not the genre. Hence the artist filter:
every artist is in one part only. Source: Arthur Flexer, *A closer look on artist filters for
musical genre classification*, ISMIR 2007.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from course_utils import audio
from course_utils.datasets.genres.summary import Summary, some
from course_utils.datasets.splits import PARTS

GENRES = (
    "Electronic", "Experimental", "Folk", "Hip-Hop",
    "Instrumental", "International", "Pop", "Rock",
)  # fmt: skip
"""The genres of FMA's small subset, in the order of their class numbers."""


@dataclass(frozen=True)
class Track:
    """A piece of music on the disk.

    Attributes
    ----------
    track_id : str
        Unique in its set.
    path : Path
    genre : str
    artist : str
        Who counts as one artist: FMA's number of the artist, or the name of a folder.
    part : str
        ``"training"``, ``"validation"`` or ``"testing"``.
    credit : str
        For people: title, name of the artist and licence, where they are known.
    """

    track_id: str
    path: Path = field(repr=False)
    genre: str
    artist: str
    part: str
    credit: str = ""

    def load(self) -> tuple[np.ndarray, int]:
        """Samples, float32 mono of shape (samples,), and the file's own rate in Hz.

        Raises
        ------
        audio.AudioError
            If the file cannot be decoded.
        """
        return audio.load(self.path)


@dataclass(frozen=True, repr=False)
class Tracks:
    """Tracks in the order of their ids; selections of them are sets, too.

    Attributes
    ----------
    name : str
    labels : tuple of str
        Genres, sorted; their places are the class numbers. A selection keeps them all.
    tracks : tuple of Track
    skipped : mapping of str to str
        What was left out, and why.
    notes : tuple of str
        How the set was made, a sentence each.
    listed : int
        Tracks that the set's table lists; 0 without a table.
    there : int
        Usable tracks of the whole set; by default those given.

    Raises
    ------
    ValueError
        If there are no tracks; also where nothing would be selected.
    """

    name: str
    labels: tuple[str, ...]
    tracks: tuple[Track, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    listed: int = 0
    there: int = 0  # always above zero once made

    def __post_init__(self) -> None:
        if not self.tracks:
            raise ValueError(
                f"No track of {self.name} is left; expected at least one; select another part, or"
                " bring in more of the set."
            )
        object.__setattr__(self, "there", self.there or len(self.tracks))

    def __repr__(self) -> str:
        return f"Tracks({self.name}: {len(self):,} tracks, {len(self.labels)} genres)"

    def __len__(self) -> int:
        return len(self.tracks)

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks)

    def __getitem__(self, number: int) -> Track:
        return self.tracks[number]

    @property
    def ids(self) -> list[str]:
        """The id of every track."""
        return [each.track_id for each in self]

    @property
    def artists(self) -> list[str]:
        """The artist of every track."""
        return [each.artist for each in self]

    @property
    def classes(self) -> np.ndarray:
        """The class number of every track, int64 of shape (tracks,)."""
        number = {genre: n for n, genre in enumerate(self.labels)}
        return np.array([number[each.genre] for each in self], np.int64)

    def part(self, name: str) -> "Tracks":
        """The tracks of one part; ValueError if there is no such part, or nothing in it."""
        if name not in PARTS:
            raise ValueError(
                f"There is no part {name!r} in {self.name}: choose one of {', '.join(PARTS)}."
            )
        return replace(self, tracks=tuple(each for each in self if each.part == name))

    def thinned(self, per_genre: int, seed: int) -> "Tracks":
        """Some of the tracks: of every genre so many, with the parts in their old proportions.

        Whole tracks are drawn at random, artists stay where they are.

        Raises
        ------
        ValueError
            If ``per_genre`` is below 1, or so low that a part loses a genre.
        """
        if per_genre < 1:
            raise ValueError(f"per_genre is {per_genre}; expected at least 1; 100 is usual.")
        rng, kept = np.random.default_rng(seed), set()
        for number in range(len(self.labels)):
            rows = np.flatnonzero(self.classes == number)
            share = min(1.0, per_genre / max(len(rows), 1))
            for part in PARTS:
                of_part = [row for row in rows if self[row].part == part]
                kept.update(rng.permutation(of_part)[: round(share * len(of_part))].tolist())
        made = replace(self, tracks=tuple(self[int(row)] for row in sorted(kept)))
        there = {each.part for each in self}
        made.check_genres([part for part in PARTS if part in there])
        return made

    def shared_artists(self) -> set[str]:
        """The artists who are in more than one part: none, unless the split leaks."""
        parts = defaultdict(set)
        for each in self:
            parts[each.artist].add(each.part)
        return {artist for artist, found in parts.items() if len(found) > 1}

    def check_artists(self) -> None:
        """ValueError that names an artist in two parts, the parts and the tracks, if there is one.

        Training on an artist and testing on the same artist measures whether the artist is known.
        """
        for artist in sorted(self.shared_artists()):
            ids = defaultdict(list)
            for each in self:
                if each.artist == artist:
                    ids[each.part].append(each.track_id)
            found = " and ".join(f"{part} ({some(ids[part])})" for part in PARTS if ids[part])
            more = len(self.shared_artists()) - 1
            also = f", and {more:,} more artists are in several parts, too" if more else ""
            raise ValueError(
                f"The artist {artist!r} of {self.name} is in {found}{also}: every artist was"
                " expected in one part only, so that the test is about genres and not about known"
                " artists; correct the split."
            )

    def check_genres(self, parts: Iterable[str] = PARTS) -> None:
        """ValueError that names the genre if one has no track in one of some parts."""
        there = {(each.part, each.genre) for each in self}
        for part in parts:
            if missing := [genre for genre in self.labels if (part, genre) not in there]:
                raise ValueError(
                    f"There is no {part} track of {some(missing)} in {self.name}"
                    f" ({len(self):,} tracks): every genre was expected in every part; add tracks,"
                    " or leave the genre out."
                )

    def shuffled_parts(self, seed: int) -> "Tracks":
        """The same tracks with parts drawn at random over tracks: the split that leaks.

        Every part keeps its number of tracks of every genre, so that only the artists differ.
        """
        made = self._shuffled(seed, "part", lambda each: each.genre)
        return replace(made, notes=(f"Parts drawn at random over tracks, seed {seed}.",))

    def with_shuffled_labels(self, seed: int) -> "Tracks":
        """A control: the genres of each part are dealt out anew, so that there is nothing to learn.

        Every part keeps its number of tracks of every genre.
        """
        made = self._shuffled(seed, "genre", lambda each: each.part)
        return replace(made, notes=(*self.notes, f"Genres shuffled in each part, seed {seed}."))

    def summary(self) -> Summary:
        """Count everything, and name what was left out."""
        counts = {part: dict.fromkeys(self.labels, 0) for part in PARTS}
        for each in self:
            counts[each.part][each.genre] += 1
        return Summary(
            name=self.name,
            counts=counts,
            artists=len(set(self.artists)),
            shared_artists=len(self.shared_artists()),
            skipped=self.skipped,
            notes=self.notes,
            listed=self.listed,
            there=self.there,
        )

    def _shuffled(self, seed: int, what: str, within: Callable[[Track], str]) -> "Tracks":
        """An attribute of the tracks, dealt out anew among those that have something in common."""
        rng, made = np.random.default_rng(seed), list(self.tracks)
        groups = defaultdict(list)
        for row, each in enumerate(self):
            groups[within(each)].append(row)
        for _, rows in sorted(groups.items()):
            for row, other in zip(rows, rng.permutation(rows), strict=True):
                made[row] = replace(self[row], **{what: getattr(self[other], what)})
        return replace(self, tracks=tuple(made))
