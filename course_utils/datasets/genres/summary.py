"""What is in a set of tracks, in words."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NAMED = 5


def some(names: Sequence[str]) -> str:
    """The first few of some names; dots stand for the others."""
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


@dataclass(frozen=True)
class Summary:
    """What is in a set of tracks.

    Attributes
    ----------
    name : str
    counts : dict
        Tracks by part and genre, ``counts[part][genre]``.
    artists, shared_artists : int
        How many there are, and how many of them are in more than one part.
    skipped : mapping of str to str
        What was left out, and why.
    notes : tuple of str
        How the set was made.
    listed, there : int
        Tracks that the set's table lists (0 without a table), and usable tracks of the whole set,
        of which a selection has fewer.
    """

    name: str
    counts: dict[str, dict[str, int]]
    artists: int
    shared_artists: int
    skipped: Mapping[str, str]
    notes: tuple[str, ...]
    listed: int
    there: int

    def __str__(self) -> str:
        """A few sentences for people."""
        parts = {part: sum(counts.values()) for part, counts in self.counts.items()}
        genres = sum((Counter(counts) for counts in self.counts.values()), Counter())
        shared = f"{self.shared_artists:,} artists are" if self.shared_artists else "no artist is"
        lines = [
            f"{self.name}: {sum(parts.values()):,} tracks by {self.artists:,} artists.",
            f"Genres: {_listed(genres)}.",
            f"Parts: {_listed(parts)}; {shared} in more than one.",
            *self.notes,
        ]
        if sum(parts.values()) < self.there:
            lines.append(f"Selected from the {self.there:,} tracks that are there.")
        if self.listed:
            lines.append(f"{self.there:,} of the {self.listed:,} listed tracks can be used.")
        return "\n".join(lines + self._skipped())

    def _skipped(self) -> list[str]:
        """A line for each reason, with the number of what was skipped and the first names."""
        reasons = defaultdict(list)
        for name, reason in self.skipped.items():
            reasons[reason.partition(" (")[0]].append(name)  # without the figures of each one
        return [f"Skipped {len(n):,} (each {why}): {some(n)}." for why, n in reasons.items()]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
