"""The Free Music Archive's data set: its tables, its own split, its known faults.

``fma_metadata/tracks.csv`` has a row for each track and two rows of column names; ``set, subset``
is ``small``, ``medium`` or ``large``, where a larger subset includes the smaller ones, and
``set, split`` the part. The clips are ``fma_small/000/000002.mp3`` and so on.

Source: Michaël Defferrard, Kirell Benzi, Pierre Vandergheynst, Xavier Bresson, *FMA: A Dataset For
Music Analysis*, ISMIR 2017, arXiv:1612.01840, and github.com/mdeff/fma, whose issues 36, 41, 44 and
70 report the clips without audio.
"""

import csv
import os
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils import places
from course_utils.datasets import cards, download
from course_utils.datasets.genres.summary import some
from course_utils.datasets.genres.tracks import Track, Tracks

if TYPE_CHECKING:
    import pandas as pd

MINI, SMALL = "fma_mini", "fma_small"
SUBSETS = ("small", "medium", "large")
NO_AUDIO = ("099134", "108925", "133297")
"""Clips of the small subset that hold no audio."""

_PARTS = {"training": "training", "validation": "validation", "test": "testing"}
_GET_IT = "get it from there, or correct it"
_NEEDED = (("artist", "id"), ("set", "split"), ("set", "subset"), ("track", "genre_top"))
_CREDIT = (("track", "title"), ("artist", "name"), ("track", "license"))


def open(name: str = MINI, root: str | os.PathLike[str] | None = None) -> Tracks:
    """Bring a set in if it is not there yet, and open its small subset.

    Parameters
    ----------
    name : str
        ``"fma_mini"`` (shipped) or ``"fma_small"`` (real: 7.7 GB of clips, 0.4 GB of tables).
    root : path-like, optional
        Folder that holds ``fma_small`` and ``fma_metadata``, by default ``places.data_root()``;
        for the shipped set the folder to unpack into, by default ``places.cache()``.

    Returns
    -------
    Tracks
        A set that is there is used as it is, whole or partial; see :func:`open_fma`.

    Raises
    ------
    DownloadError
        If the set is not there and cannot be brought in.
    ValueError
        If there is no such set, or :func:`open_fma` refuses it.
    """
    root = None if root is None else Path(root)
    if name == MINI:
        home = download.fetch(cards.load(MINI), root)
        return open_fma(home / SMALL, home / "fma_metadata", name=MINI)
    if name != SMALL:
        raise ValueError(
            f"There is no genre set {name!r}: choose {MINI!r} (shipped) or {SMALL!r} (real), or"
            " open a folder of your own with open_folder."
        )
    # The tables first: without them, gigabytes of clips would come for nothing.
    table = _table(download.fetch(cards.load("fma_metadata"), root), "small")
    return _opened(table, download.fetch(cards.load(SMALL), root), "small", SMALL)


def open_fma(
    sounds: str | os.PathLike[str],
    metadata: str | os.PathLike[str],
    subset: str = "small",
    name: str | None = None,
) -> Tracks:
    """Open clips of the Free Music Archive by its tables; they are only read.

    Parameters
    ----------
    sounds : path-like
        Folder of the clips, such as ``fma_small``.
    metadata : path-like
        Folder with ``tracks.csv`` and ``genres.csv``.
    subset : str
        ``"small"`` (8 genres, 1,000 clips each) or ``"medium"`` (16 genres); ``"large"`` is refused
        with the real table, as about half of its tracks have no single genre.
    name : str, optional
        What the set is called, by default the name of the folder of the clips.

    Returns
    -------
    Tracks
        In the official split. Clips without audio, listed tracks that are not on the disk, and
        clips that the table does not list are ``skipped``.

    Raises
    ------
    ValueError
        If a table is missing or unfit, an artist is in two parts, a genre is absent from a part,
        or no listed track is there.
    """
    return _opened(_table(Path(metadata), subset), Path(sounds), subset, name or Path(sounds).name)


def top_genres(metadata: str | os.PathLike[str]) -> tuple[str, ...]:
    """The titles in ``genres.csv`` that are no sub-genre of another, sorted.

    Raises
    ------
    ValueError
        If the table is missing or unfit.
    """
    path = _there(Path(metadata) / "genres.csv")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        top = [row["title"] for row in rows if row["genre_id"] == row["top_level"]]
    except (ValueError, KeyError, csv.Error) as error:
        raise _unfit(path, f"cannot be read ({_said(error)})") from error
    if not top:
        raise _unfit(path, "lists no genre that is its own top_level")
    return tuple(sorted(top))


def _opened(table: "pd.DataFrame", sounds: Path, subset: str, name: str) -> Tracks:
    """The listed tracks that are there and sound."""
    tracks, skipped = [], {}
    for row in table.to_dict("records"):
        track = _track(row, sounds)
        if track.track_id in NO_AUDIO:
            skipped[track.track_id] = "is known to hold no audio"
        elif not track.path.is_file():
            skipped[track.track_id] = "is listed but not on the disk"
        else:
            tracks.append(track)
    if not tracks:
        raise ValueError(
            f"None of the {len(table):,} clips that the table of {name} lists is in"
            f" {places.shown(sounds)}: files such as 000/000002.mp3 were expected; check the"
            " folder, or move it away to have it downloaded again."
        )
    made = Tracks(
        name,
        tuple(sorted(set(table["track genre_top"]))),
        tuple(tracks),
        skipped | _strangers(sounds, {_place(int(number)) for number in table["number"]}),
        (f"The official split of the {subset} subset.",),
        listed=len(table),
    )
    made.check_artists()
    made.check_genres()
    return made


def _track(row: dict[str, str], sounds: Path) -> Track:
    """A track by its row of the table."""
    return Track(
        f"{int(row['number']):06d}",
        sounds / _place(int(row["number"])),
        row["track genre_top"],
        row["artist id"],
        _PARTS[row["set split"]],
        ", ".join(filter(None, (row.get(" ".join(column)) for column in _CREDIT))),
    )


def _place(number: int) -> str:
    """Where the clip of a track lies; the folders only keep each other small."""
    return f"{number // 1000:03d}/{number:06d}.mp3"


def _strangers(sounds: Path, listed: set[str]) -> dict[str, str]:
    """Clips on the disk that are not among those listed; hidden files are a file manager's."""
    found = (path for path in sounds.rglob("*.mp3") if not path.name.startswith("."))
    names = sorted({path.relative_to(sounds).as_posix() for path in found} - listed)
    return dict.fromkeys(names, "is on the disk but not listed in the subset")


def _table(metadata: Path, subset: str) -> "pd.DataFrame":
    """The rows of a subset, in the order of their numbers, every cell as text."""
    import pandas as pd

    if subset not in SUBSETS:
        raise ValueError(f"There is no subset {subset!r} of FMA: choose {', '.join(SUBSETS)}.")
    genres = top_genres(metadata)
    path = metadata / "tracks.csv"
    columns = _columns(path)
    try:
        # By position: pandas selects no columns where two rows name them, and all 52 take 260 MB.
        table = pd.read_csv(
            path, header=None, skiprows=3, usecols=sorted(columns), dtype=str, keep_default_na=False
        )
    except ValueError as error:  # pandas' own are ValueErrors, too
        raise _unfit(path, f"cannot be read ({_said(error)})") from error
    table = table.rename(columns=columns).fillna("")  # where a row ends early
    refuse = partial(_refuse, path, table)
    refuse(~table["number"].str.fullmatch(r"\d{1,6}"), "no track_id of up to six digits")
    refuse(table["number"].astype(int).duplicated(), "a track_id that came before")
    refuse(~table["set subset"].isin(SUBSETS), f"no subset among {', '.join(SUBSETS)}")
    # Ordered, as a larger subset includes the smaller ones; as words, "large" would come first.
    level = pd.Categorical(table["set subset"], SUBSETS, ordered=True)
    table = table[level <= subset].sort_values("number", key=lambda number: number.astype(int))
    _check(path, table, genres)
    return table


def _check(path: Path, table: "pd.DataFrame", genres: tuple[str, ...]) -> None:
    """Stop at tracks of the subset without an artist, a part or a genre."""
    genre, choose = table["track genre_top"], 'choose the subset "small" or "medium"'
    _refuse(path, table, table["artist id"] == "", "no artist")
    _refuse(path, table, ~table["set split"].isin(_PARTS), f"no split among {', '.join(_PARTS)}")
    _refuse(path, table, genre == "", "no genre_top", choose)
    _refuse(path, table, ~genre.isin(genres), "a genre_top that is no top genre of genres.csv")


def _columns(path: Path) -> dict[int, str]:
    """Position and name of the columns that are used."""
    with _there(path).open(encoding="utf-8", newline="") as file:
        try:
            rows = list(islice(csv.reader(file), 3))
        except (ValueError, csv.Error) as error:
            raise _unfit(path, f"cannot be read ({_said(error)})") from error
    if len(rows) < 3 or rows[2][:1] != ["track_id"]:
        raise _unfit(path, "does not begin with two rows of column names and a row 'track_id'")
    found = {pair: position for position, pair in enumerate(zip(*rows[:2], strict=False))}
    if missing := [" ".join(pair) for pair in _NEEDED if pair not in found]:
        raise _unfit(path, f"has no column {', '.join(missing)}")
    wanted = [pair for pair in (*_NEEDED, *_CREDIT) if pair in found]
    return {0: "number"} | {found[pair]: " ".join(pair) for pair in wanted}


def _refuse(
    path: Path, table: "pd.DataFrame", bad: "pd.Series", what: str, todo: str = _GET_IT
) -> None:
    """Stop at rows that cannot be used, and name them."""
    if bad.any():
        numbers = list(table.loc[bad, "number"])
        raise _unfit(path, f"has {len(numbers):,} row(s) with {what} ({some(numbers)})", todo)


def _there(path: Path) -> Path:
    """A table's path; ValueError that says what to download if it is missing."""
    if not path.is_file():
        card = cards.load("fma_metadata")
        raise ValueError(
            f"There is no {path.name} in {places.shown(path.parent)}, where the tables of the Free"
            f" Music Archive were expected: download {card.url} ({card.bytes / 1e6:,.0f} MB) and"
            " unpack it there, or move the folder away to have that done."
        )
    return path


def _unfit(path: Path, what: str, todo: str = _GET_IT) -> ValueError:
    """The one sentence about a table that cannot be used."""
    return ValueError(
        f"The table {places.shown(path)} {what}: a table like the one in"
        f" {cards.load('fma_metadata').url} was expected; {todo}."
    )


def _said(error: Exception) -> str:
    """The last thing that an error says, on one line."""
    return " ".join((str(error) or type(error).__name__).split()).rpartition(". ")[2]
