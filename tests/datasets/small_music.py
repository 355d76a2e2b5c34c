"""Small sets in the layouts of the Free Music Archive and of a learner's folder."""

import csv
import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from course_utils.datasets.genres import GENRES

# The column names of the real tracks.csv, in its order.
COLUMNS = {
    "album": "comments date_created date_released engineer favorites id information listens"
    " producer tags title tracks type",
    "artist": "active_year_begin active_year_end associated_labels bio comments date_created"
    " favorites id latitude location longitude members name related_projects tags website"
    " wikipedia_page",
    "set": "split subset",
    "track": "bit_rate comments composer date_created date_recorded duration favorites genre_top"
    " genres genres_all information interest language_code license listens lyricist number"
    " publisher tags title",
}
# Rows of the real genres.csv: genre_id, #tracks, parent, title, top_level.
TOP = {
    *("2,5271,0,International,2", "3,1752,0,Blues,3", "10,13845,0,Pop,10", "12,32923,0,Rock,12"),
    *("15,34413,0,Electronic,15", "17,12706,0,Folk,17", "21,8389,0,Hip-Hop,21"),
    *("38,38154,0,Experimental,38", "1235,14938,0,Instrumental,1235"),
}
GENRE_ROWS = [*sorted(TOP), "1,8693,38,Avant-Garde,38"]
BIO = '<p>"A Way Of Life",\na collective of Hip-Hop</p>'  # quotes, commas and lines, as in the real


def row(number: int, genre: str, artist: object, split: str, **more: str) -> dict[str, str]:
    """A row of tracks.csv; other columns by names such as ``set_subset``."""
    made = {"number": str(number), "artist id": str(artist), "set split": split}
    made |= {"set subset": "small", "track genre_top": genre, "artist bio": BIO}
    made |= {"artist name": f"Artist {artist}", "track title": f"Song {number}"}
    return made | {key.replace("_", " ", 1): value for key, value in more.items()}


def rows_of(genres: Iterable[str] = GENRES) -> list[dict[str, str]]:
    """For each genre two training tracks by one artist, and one by others for the other parts."""
    rows = []
    for n, genre in enumerate(genres):
        splits = ("training", "training", "validation", "test")
        for number, (split, artist) in enumerate(zip(splits, (0, 0, 1, 2), strict=True)):
            rows.append(row(2 + 1000 * n + number, genre, 10 * n + artist, split))
    return rows


def write_tables(folder: Path, rows: list[dict[str, str]], without: tuple[str, ...] = ()) -> Path:
    """The two tables; ``without`` names columns to leave out."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [(top, name) for top, line in COLUMNS.items() for name in line.split()]
    names = [pair for pair in names if " ".join(pair) not in without]
    with (folder / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(top for top, _ in names)])
        writer.writerow(["", *(name for _, name in names)])
        writer.writerow(["track_id", *("" for _ in names)])
        for each in rows:
            writer.writerow([each["number"], *(each.get(" ".join(pair), "") for pair in names)])
    lines = ["genre_id,#tracks,parent,title,top_level", *GENRE_ROWS]
    (folder / "genres.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@cache
def sound(ending: str = "mp3", seconds: float = 0.5, rate: int = 44_100) -> bytes:
    """Two channels of a 440 Hz tone in a bit of noise, encoded."""
    time = np.arange(round(rate * seconds)) / rate
    tone = 0.4 * np.sin(2 * np.pi * 440 * time)
    noise = np.random.default_rng(0).normal(0, 0.01, (len(time), 2))
    memory = io.BytesIO()
    soundfile.write(memory, tone[:, None] + noise, rate, format=ending.upper())
    return memory.getvalue()


def clip(sounds: Path, number: int | str) -> Path:
    """Where FMA keeps a clip."""
    return sounds / f"{int(number) // 1000:03d}" / f"{int(number):06d}.mp3"


def write_clips(sounds: Path, rows: Iterable[dict[str, str]], content: bytes | None = None) -> Path:
    """A clip for each row."""
    for each in rows:
        path = clip(sounds, each["number"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sound() if content is None else content)
    return sounds


def write_fma(root: Path, rows: list[dict[str, str]]) -> tuple[Path, Path]:
    """Folders of clips and of tables, as ``open_fma`` takes them."""
    sounds = write_clips(root / "fma_small", rows)
    return sounds, write_tables(root / "fma_metadata", rows)


def touch_folder(folder: Path, names: Iterable[str]) -> Path:
    """Empty files in a learner's folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder
