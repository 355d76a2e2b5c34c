"""From tracks to what a model sees: windows in memory, their genres, and the tracks they are from.

A window never leaves its track behind: without the track's number neither a vote over the windows
of a track nor a split by artist is possible.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from course_utils import audio
from course_utils.datasets.genres import window_cache
from course_utils.progress import bar

if TYPE_CHECKING:
    from course_utils.datasets.genres import Track, Tracks

_WORKERS = 4  # reading and decoding wait for the disk as well as for the processor
_AHEAD = 4 * _WORKERS  # tracks whose windows wait in memory to be taken


class FrontEnd(Protocol):
    """What turns a sound into windows: see ``course_utils.features.music``."""

    sample_rate: int
    shape: tuple[int, ...]
    settings: dict

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Windows, float32, (windows, *shape), of a mono sound of ``sample_rate``."""


@dataclass(frozen=True)
class Windows:
    """Windows of tracks.

    Attributes
    ----------
    x : np.ndarray of float32, shape (windows, *shape)
    classes : np.ndarray of int64, shape (windows,)
        Place of each window's genre in ``labels``.
    tracks : np.ndarray of int64, shape (windows,)
        Place of each window's track in ``ids`` and ``artists``.
    labels : tuple of str
        Genres.
    ids, artists : tuple of str, one for each track

    Raises
    ------
    ValueError
        If there are no windows, lengths differ, a class or track is out of range, a track has no
        window, or windows of one track have several classes.
    """

    x: np.ndarray
    classes: np.ndarray
    tracks: np.ndarray
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    artists: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse windows that do not fit together."""
        if self.x.ndim < 2 or self.x.dtype != np.float32 or not len(self.x):
            raise ValueError(
                f"The windows have shape {self.x.shape} and type {self.x.dtype}; expected float32"
                " of shape (windows, ...) with at least one window; prepare some tracks."
            )
        lengths = {len(self.x), len(self.classes), len(self.tracks)}
        if len(lengths) > 1 or len(self.ids) != len(self.artists):
            raise ValueError(
                f"There are {len(self.x)} windows, {len(self.classes)} classes and"
                f" {len(self.tracks)} track numbers, {len(self.ids)} ids and {len(self.artists)}"
                " artists; expected as many of the first three, and of the last two; correct them."
            )
        check_range(self.classes, len(self.labels), "class", "genres")
        check_range(self.tracks, len(self.ids), "track number", "tracks")
        of_tracks = self.track_classes
        fine = (of_tracks[self.tracks] == self.classes).all()
        if not fine or of_tracks.min() < 0:
            wrong = self.tracks[np.argmax(of_tracks[self.tracks] != self.classes)]
            track = self.ids[np.argmin(of_tracks) if fine else wrong]
            raise ValueError(
                f"Track {track} has {'no windows' if fine else 'windows of several classes'};"
                " expected at least one window and one genre for each track; correct the windows."
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one window."""
        return self.x.shape[1:]

    @property
    def track_classes(self) -> np.ndarray:
        """Class of each track, int64, (tracks,)."""
        found = np.full(len(self.ids), -1, np.int64)
        found[self.tracks] = self.classes
        return found

    def of(self, tracks: "Tracks") -> "Windows":
        """The windows of some of the tracks, with the genres that these tracks have there.

        For a second split of tracks that are prepared, or for shuffled labels.

        Raises
        ------
        ValueError
            If a track is not among those that were prepared.
        """
        place = {name: number for number, name in enumerate(self.ids)}
        missing = [name for name in tracks.ids if name not in place]
        if missing:
            raise ValueError(
                f"{len(missing)} tracks have no windows, the first of them {missing[0]}; expected"
                " tracks that were prepared; prepare them as well."
            )
        rows = [np.flatnonzero(self.tracks == place[name]) for name in tracks.ids]
        return _windows(self.x[np.concatenate(rows)], [len(found) for found in rows], tracks)


def prepare(tracks: "Tracks", front_end: FrontEnd, cache: str | Path | None = None) -> Windows:
    """Decode tracks, resample them to the front end's rate, and compute their windows.

    Parameters
    ----------
    tracks : Tracks
    front_end : FrontEnd
    cache : path-like, optional
        Folder in which the windows are kept for the next call with the same tracks and settings.
        Windows of files that have changed, or a damaged cache, are computed anew, with a warning.

    Returns
    -------
    Windows
        In the order of the tracks.

    Raises
    ------
    audio.AudioError
        If a track cannot be used; it names the track.
    ValueError
        If there are no tracks, or the front end gives something else than it says.
    """
    kept = window_cache.load(cache, tracks, front_end) if cache is not None else None
    if kept is None:
        pieces = [x for _, x in pieces_of(tracks, front_end)]
        kept = np.concatenate(pieces), np.array([len(piece) for piece in pieces])
        if cache is not None:
            window_cache.save(cache, tracks, front_end, *kept)
    return _windows(*kept, tracks)


def pieces_of(
    tracks: "Tracks",
    front_end: FrontEnd,
    order: Sequence[int] | None = None,
    progress: bool = True,
) -> Iterator[tuple[int, np.ndarray]]:
    """The windows of one track after another, with few of them in memory at a time.

    Parameters
    ----------
    tracks : Tracks
    front_end : FrontEnd
    order : sequence of int, optional
        Which tracks to take, by their place; by default all of them as they come.
    progress : bool
        Whether to show a bar.

    Yields
    ------
    (int, np.ndarray of float32, shape (windows, *shape))
        Place of the track, and its windows.

    Raises
    ------
    audio.AudioError, ValueError
        As :func:`prepare`.
    """
    places = list(range(len(tracks)) if order is None else order)
    if not places:
        raise ValueError("There are no tracks to prepare; expected at least one; choose others.")
    found = list(tracks)
    with (
        bar(len(places), "preparing", "track", progress) as shown,
        ThreadPoolExecutor(_WORKERS) as pool,
    ):
        for start in range(0, len(places), _AHEAD):
            some = places[start : start + _AHEAD]
            pieces = pool.map(lambda place: _piece(found[place], front_end), some)
            for place, piece in zip(some, pieces, strict=True):
                yield place, piece
                shown.update()


def _piece(track: "Track", front_end: FrontEnd) -> np.ndarray:
    """The windows of one track."""
    try:
        samples, rate = track.load()
        x = front_end(audio.resample(samples, rate, front_end.sample_rate))
    except audio.AudioError as error:
        raise audio.AudioError(
            f"Track {track.track_id} ({track.genre}) cannot be prepared: {str(error).rstrip('.')};"
            " or leave it out, genres.readable does."
        ) from error
    check_piece(x, tuple(front_end.shape), track.track_id)
    return x


def check_piece(x: np.ndarray, shape: tuple[int, ...], track: str) -> None:
    """ValueError unless these are windows of that shape, float32, finite, at least one."""
    if x.dtype != np.float32 or x.shape[1:] != shape or not len(x):
        raise ValueError(
            f"Track {track} has windows of shape {x.shape} and type {x.dtype}; expected at least"
            f" one, float32, of shape (windows, {', '.join(map(str, shape))}); use the same front"
            " end for all tracks."
        )
    if not np.isfinite(x).all():
        raise ValueError(
            f"Track {track} has windows with NaN or infinity; expected finite values; mend the"
            " front end, or leave the track out."
        )


def check_range(values: np.ndarray, count: int, what: str, of: str) -> None:
    """ValueError unless all values are whole numbers from 0 to below ``count``."""
    values = np.asarray(values)
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"A {what} is {values.dtype}; expected whole numbers; convert them.")
    outside = values[(values < 0) | (values >= count)]
    if len(outside):
        raise ValueError(
            f"A {what} is {outside[0]}; expected a number from 0 to {count - 1}, as there are"
            f" {count} {of}; correct it."
        )


def _windows(x: np.ndarray, counts: Sequence[int], tracks: "Tracks") -> Windows:
    """Windows that lie track after track, so many for each."""
    numbers = np.repeat(np.arange(len(tracks), dtype=np.int64), counts)
    classes = np.asarray(tracks.classes, np.int64)[numbers]
    return Windows(x, classes, numbers, tuple(tracks.labels), tuple(tracks.ids),
                   tuple(tracks.artists))  # fmt: skip
