"""Makes `fma_mini.zip`: synthetic music of eight genres in the layout of the Free Music Archive.

Run from the repository's root::

    python data/make_fma_mini.py --output data/fma_mini.zip
    python data/make_fma_mini.py --track 1234 --output /tmp/one_track.zip

An artist keeps a style, instruments and a sound; no artist stands in two parts. Everything is drawn
from seeds that name the artist and the track, so that one track can be remade alone and the whole
does not depend on the number of processes.
"""

from __future__ import annotations

import argparse
import csv
import functools
import hashlib
import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parent))  # for tests, which load this file by its path

from synthesis import packing, papers, soundfont
from synthesis.music import artists, mixing, names, texts
from synthesis.music.genres import STYLES
from synthesis.music.styles import Style

SEED = 2038
PARTS = {"training": 9, "validation": 2, "test": 4}  # FMA's name of a part -> artists of a genre
TRACKS = 3  # of each artist
SECONDS = (9.6, 10.4)
GENRE_IDS = {
    "Electronic": 15, "Experimental": 38, "Folk": 17, "Hip-Hop": 21, "Instrumental": 1235,
    "International": 2, "Pop": 10, "Rock": 12,
}  # fmt: skip
# Sample rate in Hz, channels, kbit/s -> share of the tracks, whatever their genre.
FORMS = {
    (22050, 1, 32): 0.86, (44100, 1, 48): 0.05, (32000, 1, 48): 0.04, (22050, 2, 48): 0.03,
    (44100, 2, 80): 0.02,
}  # fmt: skip
PACKAGES = (*soundfont.PACKAGES, "lame")


@dataclass(frozen=True)
class Track:
    """A track before it is made.

    Attributes
    ----------
    number, artist, album : int
        As in FMA: none of them says anything about the genre.
    genre, part : str
        Part as FMA has it: training, validation or test.
    style : Style
        What the artist plays.
    artist_name, album_name, title : str
        Drawn.
    place : int
        Number on the album.
    """

    number: int
    artist: int
    album: int
    genre: str
    part: str
    style: Style
    artist_name: str
    album_name: str
    title: str
    place: int

    @property
    def path(self) -> str:
        """Where it lies in the archive."""
        return f"fma_small/{self.number // 1000:03d}/{self.number:06d}.mp3"

    @property
    def form(self) -> tuple[int, int, int]:
        """Sample rate, channels and kbit/s."""
        rng = np.random.default_rng([SEED, self.number, 1])
        return [*FORMS][rng.choice(len(FORMS), p=[*FORMS.values()])]


@functools.cache
def tracks() -> dict[int, Track]:
    """Return all tracks by number."""
    rng = np.random.default_rng(SEED)
    plan = [
        (genre, part, style)
        for genre in STYLES
        for part, count in PARTS.items()
        for style in _styles(genre, count, rng)
    ]
    bases = rng.choice(np.arange(140, 155_000, 7), len(plan), replace=False)
    ids, albums = (rng.choice(np.arange(1, 24_000), len(plan), replace=False) for _ in range(2))
    artist_names, album_names = names.names(len(plan), rng), names.names(len(plan), rng)
    titles = iter(names.names(TRACKS * len(plan), rng))
    found = [
        Track(
            int(bases[k]) + place, int(ids[k]), int(albums[k]), genre, part, style,
            artist_names[k], album_names[k], next(titles), place + 1,
        )
        for k, (genre, part, style) in enumerate(plan)
        for place in range(TRACKS)
    ]  # fmt: skip
    return {track.number: track for track in sorted(found, key=lambda track: track.number)}


def _styles(genre: str, count: int, rng: np.random.Generator) -> list[Style]:
    """Return so many styles of a genre, each once before any is there twice."""
    own, chosen = STYLES[genre], []
    while len(chosen) < count:
        chosen += [own[k] for k in rng.permutation(len(own))]
    return chosen[:count]


def make_track(number: int) -> tuple[bytes, float]:
    """Make one track; return the MP3 file and its length in seconds."""
    track = tracks()[number]
    who = _drawn(track)
    rng = np.random.default_rng([SEED, number, 2])
    rate, channels, kbit_per_s = track.form
    seconds = rng.uniform(*SECONDS)
    sound = mixing.track(who, seconds, rate, channels, rng)
    return encoded(sound, rate, kbit_per_s), seconds


def encoded(sound: np.ndarray, sample_rate: int, kbit_per_s: int) -> bytes:
    """Encode a sound, shape ``(samples, channels)``, as MP3 with a constant bit rate.

    Raises
    ------
    soundfont.SynthesisError
        If lame fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        wave, mp3 = Path(folder) / "sound.wav", Path(folder) / "sound.mp3"
        sf.write(wave, np.round(sound * 32767).astype(np.int16), sample_rate)
        # Without --resample, lame lowers the rate where it finds the bits too few for it.
        options = ["--cbr", "-b", str(kbit_per_s), "--resample", str(sample_rate / 1000)]
        options += ["-m", "m" if sound.shape[1] == 1 else "j"]
        done = subprocess.run(["lame", "--silent", *options, wave, mp3], capture_output=True)
        if done.returncode != 0 or not mp3.is_file():
            reason = done.stderr.decode(errors="replace").strip()[-200:]
            raise soundfont.SynthesisError(
                f"lame failed with exit status {done.returncode}: {reason}."
            )
        return mp3.read_bytes()


def tracks_table(seconds: dict[int, float]) -> str:
    """Return `tracks.csv` with FMA's two rows of headers."""
    rows = {
        number: {
            ("album", "id"): track.album,
            ("album", "title"): track.album_name,
            ("album", "tracks"): TRACKS,
            ("album", "type"): "Album",
            ("artist", "id"): track.artist,
            ("artist", "name"): track.artist_name,
            ("set", "split"): track.part,
            ("set", "subset"): "small",
            ("track", "bit_rate"): 1000 * track.form[2],
            ("track", "duration"): round(seconds[number]),
            ("track", "genre_top"): track.genre,
            ("track", "genres"): f"[{GENRE_IDS[track.genre]}]",
            ("track", "genres_all"): f"[{GENRE_IDS[track.genre]}]",
            ("track", "license"): "CC0 1.0 Universal",
            ("track", "number"): track.place,
            ("track", "title"): track.title,
        }
        for number, track in tracks().items()
    }
    columns = [*next(iter(rows.values()))]
    lines = [["", *(c[0] for c in columns)], ["", *(c[1] for c in columns)]]
    lines += [["track_id", *("" for _ in columns)]]
    return _csv(lines + [[number, *row.values()] for number, row in rows.items()])


def genres_table() -> str:
    """Return `genres.csv`, ordered by FMA's number of the genre."""
    counts = Counter(track.genre for track in tracks().values())
    lines = [["genre_id", "#tracks", "parent", "title", "top_level"]]
    for genre, number in sorted(GENRE_IDS.items(), key=lambda item: item[1]):
        lines.append([str(number), str(counts[genre]), "0", genre, str(number)])
    return _csv(lines)


def _csv(lines: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def make_archive(path: Path, processes: int = 2) -> dict[str, object]:
    """Make the whole data set, write it and return its card."""
    soundfont.require_packages(PACKAGES)
    with ProcessPoolExecutor(processes) as pool:
        made = dict(zip(tracks(), pool.map(make_track, tracks(), chunksize=4), strict=True))
    seconds = {number: length for number, (_, length) in made.items()}
    counts = counted(sum(seconds.values()))
    description = texts.DESCRIPTION.format(**counts)
    written = {
        "fma_metadata/tracks.csv": tracks_table(seconds),
        "fma_metadata/genres.csv": genres_table(),
        "LICENSE": texts.LICENCE,
        "README.md": texts.README.format(description=description, each=TRACKS),
    }
    entries = {tracks()[number].path: sound for number, (sound, _) in made.items()}
    packing.write_zip(path, entries | {name: text.encode() for name, text in written.items()})
    return card(path, description, counts)


def counted(seconds: float) -> dict[str, object]:
    """Count tracks, artists and minutes, and the tracks of each part."""
    parts = Counter(track.part for track in tracks().values())
    return {
        "tracks": len(tracks()),
        "artists": len({track.artist for track in tracks().values()}),
        "genres": len(STYLES),
        "minutes": round(seconds / 60, 1),
        "training": parts["training"],
        "validation": parts["validation"],
        "testing": parts["test"],
    }


def card(path: Path, description: str, counts: dict[str, object]) -> dict[str, object]:
    """Describe an archive that was just written."""
    content, script = path.read_bytes(), f"data/{Path(__file__).name}"
    table = {
        track.artist: {"name": track.artist_name, "genre": track.genre, "style": track.style.name,
                       "borrows_from": _drawn(track).borrowed, "part": track.part}
        for track in tracks().values()
    }  # fmt: skip
    return {
        "name": path.stem,
        "title": "FMA mini (synthetic)",
        "description": description,
        "licence": "CC0 1.0",
        "source": f"Made by this project with {script}; layout after Defferrard, Benzi,"
        " Vandergheynst and Bresson, FMA: A Dataset for Music Analysis, ISMIR 2017,"
        " arXiv:1612.01840",
        "archive": path.name,
        "url": None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "sample_rate": 22050,
        "counts": counts,
        "sound": None,
        "how_made": texts.HOW_MADE.format(borrowers=artists.BORROWERS),
        "made_by": script,
        "made_with": made_with(),
        "artists": table,
    }


def made_with() -> dict[str, str]:
    """Return the versions of all that can change a byte of the archive."""
    return papers.made_with(PACKAGES) | {"mido": metadata.version("mido")}


def _drawn(track: Track) -> artists.Artist:
    return artists.artist(track.artist, track.genre, track.style, SEED)


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "fma_mini.zip")
    parser.add_argument("--track", type=int, help="make this track only, and no card")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    began = time.perf_counter()
    soundfont.require_packages(PACKAGES)
    if args.track is not None:
        if args.track not in tracks():
            parser.error(f"no track {args.track}; choose one of tracks.csv, as {min(tracks())}")
        packing.write_zip(args.output, {tracks()[args.track].path: make_track(args.track)[0]})
    else:
        made = make_archive(args.output, args.processes)
        papers.write_card(args.output.with_suffix(".json"), made)
    print(f"{args.output}: {args.output.stat().st_size} bytes, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
