"""From a name or a folder to a part: find it, read it, say what could not be used.

The layout is ``<part>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac``, and one file
``<speaker>-<chapter>.trans.txt`` in each chapter with a line for each recording: its name and what
is said in it.
"""

import os
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import soundfile

from course_utils import audio, places, progress
from course_utils.datasets import cards, download
from course_utils.datasets.librispeech.parts import OFFICIAL, Part, Utterance
from course_utils.features.text import normalise

FOLDER = "LibriSpeech"
TEXT_FILE = "librispeech-lm-norm.txt"
MINI = ("train-clean-mini", "dev-clean-mini", "test-clean-mini")
"""Parts of the shipped set."""

_NO_TRANSCRIPT = "recordings without a transcript"
_NO_RECORDING = "transcripts without a recording"
_NO_SAMPLES = "recordings without samples"
_NO_TEXT = "transcripts without a letter"
_UNREADABLE = "files that cannot be read"
_STRAY = "files and folders outside the layout"
_REPEATED = "further transcripts of a recording"

# A FLAC file that came through a pipe does not say how long it is; libsndfile then claims the
# largest number it has.
_UNKNOWN_LENGTH = 2**62
_BAR_FROM = 2_000  # recordings; fewer are read before a bar could be seen
_GET_AN4 = (
    "; for AN4, get an4_sphere.tar.gz from www.speech.cs.cmu.edu/databases/an4 and run"
    " python -m course_utils.datasets.librispeech.an4 an4_sphere.tar.gz"
)


def open(part: str = "train-clean-mini", root: str | os.PathLike[str] | None = None) -> Part:
    """Bring a part in if it is not there yet, and open it.

    Parameters
    ----------
    part : str
        One of ``MINI`` (shipped), of ``OFFICIAL`` (real; downloaded by torchaudio where missing),
        or any other folder in ``LibriSpeech``.
    root : path-like, optional
        Folder that holds ``LibriSpeech``, by default ``places.data_root()``; for a shipped part
        the folder to unpack into, by default ``places.cache()``.

    Returns
    -------
    Part
        A part that is there is used as it is, whole or partial; its summary says how much of an
        official one there is.

    Raises
    ------
    DownloadError
        If the part is not there and cannot be brought in.
    ValueError
        If there is no such part, nothing in it can be used, or ``COURSE_DATA_ROOT`` is wrong.
    """
    if part in MINI:
        root = None if root is None else Path(root)
        return open_folder(download.fetch(cards.load("librispeech_mini"), root) / part)
    root = Path(root or places.data_root())
    folder = root / FOLDER
    there = [path.name for path in sorted(folder.glob("[!.]*")) if any(path.glob("[!.]*"))]
    if part not in there and part not in OFFICIAL:
        others = [name for name in there if name not in OFFICIAL]
        raise ValueError(
            f"There is no part {part!r} in {places.shown(folder)}: choose an official one"
            f" ({', '.join(OFFICIAL)}), a shipped one ({', '.join(MINI)}) or another folder there"
            f" ({', '.join(others) or 'none is'}){_GET_AN4 if part.endswith('-an4') else ''}."
        )
    if part not in there:
        # Only here and in open_folder, so that importing the data sets does not load PyTorch.
        from course_utils.datasets.librispeech import official

        official.fetch(part, root)
    return open_folder(folder / part)


def open_folder(path: str | os.PathLike[str]) -> Part:
    """Open any folder in the layout of a part; it is only read.

    Parameters
    ----------
    path : path-like
        The folder that holds the speakers' folders.

    Returns
    -------
    Part
        Recordings and transcripts that cannot be used are left out; the summary counts and names
        them. A recording that lost its end is found when it is loaded, not here.

    Raises
    ------
    ValueError
        If nothing in the folder can be used.
    """
    from course_utils.datasets.librispeech import official

    folder = Path(os.path.abspath(path))
    found = _scan(folder)
    reader = official.Reader(folder, sorted(found.recordings))
    utterances = []
    bar = progress.bar(len(reader), "reading", " files", len(reader) >= _BAR_FROM)
    with bar as running:
        for number, name in enumerate(reader.names):
            transcript = reader.transcript(number, found.transcripts.get(name))
            utterances += _utterance(name, transcript, found)
            running.update(1)
    for name in sorted(found.transcripts.keys() - found.recordings.keys()):
        found.left_out[_NO_RECORDING].append(name)
    left_out = {reason: tuple(sorted(names)) for reason, names in found.left_out.items()}
    if not utterances:
        counts = [f"{len(names):,} {reason}" for reason, names in left_out.items()]
        raise ValueError(
            f"Nothing in {places.shown(folder)} can be used ({', '.join(counts) or 'no files'}):"
            " speaker/chapter/speaker-chapter-number.flac beside speaker-chapter.trans.txt was"
            " expected; check the path, or move the folder away to have an official part"
            " downloaded again."
        )
    return Part(folder.name, tuple(utterances), left_out, official=OFFICIAL.get(folder.name))


def written_sentences(part: Part, most: int = 100_000) -> list[str]:
    """Sentences that nobody reads, for language models: ``librispeech-lm-norm.txt``.

    Parameters
    ----------
    part : Part
        The file is looked for beside its folder.
    most : int
        No more than the first so many lines; the real file has 40 million.

    Returns
    -------
    list of str
        Normalised; empty where there is no such file.
    """
    path = part[0].path.parents[3] / TEXT_FILE
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [text for line in islice(lines, most) if (text := normalise(line)[0])]


@dataclass
class _Found:
    """What lies in a folder: paths and transcripts by name, names of the rest by reason."""

    recordings: dict[str, Path] = field(default_factory=dict)
    transcripts: dict[str, str] = field(default_factory=dict)
    left_out: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def _scan(folder: Path) -> _Found:
    """Look at everything three folders deep, hidden files aside: macOS leaves ``._x.flac``."""
    found = _Found()
    for path in sorted(folder.glob("[!.]*")):
        chapters = sorted(path.glob("[!.]*")) if path.is_dir() else []
        if not chapters:
            found.left_out[_STRAY].append(path.name)
        for chapter in chapters:
            if chapter.is_dir():
                _scan_chapter(chapter, found)
            else:
                found.left_out[_STRAY].append(f"{path.name}/{chapter.name}")
    return found


def _scan_chapter(chapter: Path, found: _Found) -> None:
    """Sort the files of a chapter."""
    start = f"{chapter.parent.name}-{chapter.name}"
    with os.scandir(chapter) as entries:
        files = {entry.name: entry.is_file() for entry in entries if entry.name[0] != "."}
    for name, is_file in files.items():
        stem, ending = os.path.splitext(name)
        number = stem.removeprefix(f"{start}-")
        if is_file and name == f"{start}.trans.txt":
            _read_transcripts(chapter / name, found)
        elif is_file and ending == ".flac" and number != stem and number and "-" not in number:
            found.recordings[stem] = chapter / name
        else:
            found.left_out[_STRAY].append(f"{chapter.parent.name}/{chapter.name}/{name}")
    if not files:
        found.left_out[_STRAY].append(f"{chapter.parent.name}/{chapter.name}")


def _read_transcripts(path: Path, found: _Found) -> None:
    """Every line of a chapter's file; one without text has an empty transcript."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        found.left_out[_UNREADABLE].append(path.name)
        return
    for line in lines:
        name, _, transcript = line.strip().partition(" ")
        if name and name in found.transcripts:
            found.left_out[_REPEATED].append(name)
        elif name:
            found.transcripts[name] = transcript


def _utterance(name: str, transcript: str | None, found: _Found) -> list[Utterance]:
    """The utterance, or nothing, and why."""
    path = found.recordings[name]
    text, dropped = normalise(transcript or "")
    try:
        seconds = _seconds(path)
        reason = "" if seconds else _NO_SAMPLES
    except (OSError, soundfile.SoundFileError, audio.AudioError):
        reason = _UNREADABLE
    if transcript is None:
        reason = _NO_TRANSCRIPT
    elif not reason and not text:
        reason = _NO_TEXT
    if reason:
        found.left_out[reason].append(name)
        return []
    chapter = path.parent
    made = (name, path, chapter.parent.name, chapter.name, transcript, text, seconds, dropped)
    return [Utterance(*made)]


def _seconds(path: Path) -> float:
    """Length of a recording by its header, in seconds; by its samples where that says none."""
    if not path.stat().st_size:
        return 0.0
    header = soundfile.info(path)
    if header.frames >= _UNKNOWN_LENGTH:
        samples, rate = audio.load(path)
        return len(samples) / rate
    return header.duration
