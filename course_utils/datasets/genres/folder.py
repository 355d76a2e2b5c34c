"""A learner's own music: a folder per genre, and in it tracks or a folder per artist."""

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from course_utils import places
from course_utils.datasets.genres.tracks import Track, Tracks
from course_utils.datasets.splits import PARTS, partition

_ENDINGS = (".wav", ".mp3", ".flac", ".ogg")


def open_folder(
    folder: str | os.PathLike[str],
    validation_percentage: float = 10,
    testing_percentage: float = 10,
    seed: int = 0,
) -> Tracks:
    """Open any number of genres: ``<genre>/<track>.mp3`` or ``<genre>/<artist>/…/<track>.mp3``.

    Parameters
    ----------
    folder : path-like
        WAV, MP3, FLAC and OGG files in folders; it is only read.
    validation_percentage, testing_percentage : float
        Approximate share of the two parts in percent; 0 leaves a part out.
    seed : int
        Decides who is in which part.

    Returns
    -------
    Tracks
        An artist is in one part only, in all genres. A track that is in no artist's folder counts
        as an artist of its own, and the summary says how many do. Every other file, and a genre
        without tracks, is ``skipped``. What cannot be decoded is found by ``readable``.

    Raises
    ------
    ValueError
        If there is no such folder, fewer than two genres are in it, the percentages are
        impossible, or a genre has too few artists for all parts.
    """
    shares = {"validation": validation_percentage, "testing": testing_percentage}
    partition("", *shares.values())  # refuses impossible ones
    folder = Path(os.path.abspath(folder))
    tracks, skipped = _scan(folder)
    labels = tuple(sorted({each.genre for each in tracks}))
    if len(labels) < 2:
        raise ValueError(
            f"{places.shown(folder)} has {len(labels)} genres with music ({len(skipped):,} other"
            " files or folders): at least two folders named by genre, with .wav, .mp3, .flac or"
            " .ogg files in them, were expected; check the path."
        )
    shares = {"training": 100 - sum(shares.values()), **shares}
    shares = {part: shares[part] / 100 for part in PARTS if shares[part]}
    parts = _split(tracks, labels, shares, seed, folder)
    made = Tracks(
        folder.name,
        labels,
        tuple(replace(each, part=parts[each.artist]) for each in tracks),
        skipped,
        (f"Parts drawn by artist, seed {seed}.", *_loose(tracks)),
    )
    made.check_artists()
    made.check_genres(shares)
    return made


def _scan(folder: Path) -> tuple[list[Track], dict[str, str]]:
    """Tracks that have no part yet, and what is no track."""
    tracks, skipped = [], {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(step.startswith(".") for step in name.parts):
            continue  # a file manager's own
        if path.is_dir():
            if len(name.parts) == 1 and not _has_music(path):
                skipped[f"{name.as_posix()}/"] = "holds no music"
        elif len(name.parts) == 1:
            skipped[name.as_posix()] = "is in no genre's folder"
        elif path.suffix.lower() not in _ENDINGS:
            skipped[name.as_posix()] = "is not WAV, MP3, FLAC or OGG"
        else:
            # Without its ending: the same piece as WAV and as MP3 is not two artists.
            artist = name.parts[1] if len(name.parts) > 2 else name.with_suffix("").as_posix()
            tracks.append(Track(name.as_posix(), path, name.parts[0], artist, "", name.stem))
    return tracks, skipped


def _has_music(folder: Path) -> bool:
    return any(path.suffix.lower() in _ENDINGS for path in folder.rglob("[!.]*"))


def _loose(tracks: list[Track]) -> list[str]:
    """A sentence about the tracks whose artist is not known, if there are any."""
    count = sum(Path(each.track_id).parent.parent == Path() for each in tracks)
    if not count:
        return []
    return [
        f"{count:,} of {len(tracks):,} tracks are in no artist's folder and count as an artist"
        " each: if some are by the same artist, the split leaks."
    ]


def _split(
    tracks: list[Track], labels: tuple[str, ...], shares: dict[str, float], seed: int, folder: Path
) -> dict[str, str]:
    """The part of every artist: every genre into every part first, then by the shares."""
    counts = defaultdict(lambda: np.zeros(len(labels)))
    for each in tracks:
        counts[each.artist][labels.index(each.genre)] += 1
    wanted = np.outer(list(shares.values()), sum(counts.values()))  # (parts, genres)
    there, chosen = np.zeros_like(wanted), {}

    def place(artist: str, part: int) -> None:
        there[part] += counts[artist]
        chosen[artist] = list(shares)[part]

    order = [str(artist) for artist in np.random.default_rng(seed).permutation(sorted(counts))]
    by_genre = [[artist for artist in order if counts[artist][g]] for g in range(len(labels))]
    for genre in sorted(range(len(labels)), key=lambda genre: len(by_genre[genre])):
        for part, name in enumerate(shares):
            free = [artist for artist in by_genre[genre] if artist not in chosen]
            if there[part, genre]:
                continue
            if not free:
                raise _too_few(folder, labels[genre], len(by_genre[genre]), name, len(shares))
            # A small one, which leaves most freedom to the shares.
            place(min(free, key=lambda artist: counts[artist].sum()), part)
    for artist in order:
        if artist not in chosen:
            # By how much each part would get farther from what is wanted (Pearson's measure).
            worse = ((there + counts[artist] - wanted) ** 2 - (there - wanted) ** 2) / wanted
            place(artist, int(worse.sum(axis=1).argmin()))
    return chosen


def _too_few(folder: Path, genre: str, artists: int, part: str, parts: int) -> ValueError:
    return ValueError(
        f"{genre} in {places.shown(folder)} has {artists} artists and none of them is left for"
        f" {part}: every genre was expected in each of the {parts} parts, with an artist in one of"
        " them only; add artists, set a percentage to 0, or try another seed."
    )
