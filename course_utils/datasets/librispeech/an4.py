"""CMU's AN4 recordings (spelled names, numbers, commands) into LibriSpeech's layout.

After ``an4_sphere.tar.gz`` (or ``an4_raw.bigendian.tar.gz``) was downloaded by hand from
www.speech.cs.cmu.edu/databases/an4: ``python -m course_utils.datasets.librispeech.an4 ARCHIVE``.
In CMU's layout a line ``<s> ENTER SIX </s> (an145-mcrt-b)`` of ``an4/etc/an4_train.transcription``
belongs to the recording ``an4/wav/an4_clstk/mcrt/an145-mcrt-b.sph``.
"""

import argparse
import io
import os
import re
from collections import Counter, defaultdict
from pathlib import Path

import soundfile

from course_utils import places
from course_utils.datasets.archives import unpack
from course_utils.datasets.librispeech.layout import FOLDER
from course_utils.datasets.staging import DownloadError, replace_folder, staged

PARTS = ("train-clean-an4", "dev-clean-an4", "test-clean-an4")
SPEAKERS = "AN4-SPEAKERS.TXT"  # SPEAKERS.TXT comes with official parts, and would replace ours

_EXPECTED = "CMU's an4_sphere.tar.gz, or the folder an4 in it, was expected; download it anew from"
_EXPECTED += " www.speech.cs.cmu.edu/databases/an4, or correct the path"
_CMU = {"train": "an4_clstk", "test": "an4test_clstk"}  # where the sound of CMU's parts is
_HELD_OUT = 9  # every so many voices of CMU's training part, from the first
_FIRST = 9000  # number of the first voice; LibriSpeech's own end before it
_LINE = re.compile(r"(?:<s>)?([^<>]*[A-Za-z][^<>]*?)(?:</s>)?\s*\(([^()]+)\)")
_RAW = {"samplerate": 16_000, "channels": 1, "format": "RAW", "subtype": "PCM_16", "endian": "BIG"}
_READING = {".sph": {}, ".raw": _RAW}

_Voices = dict[str, dict[Path, str]]  # CMU's name of a speaker: the recordings and their texts


def convert(source: str | os.PathLike[str], root: str | os.PathLike[str]) -> dict[str, Path]:
    """Write AN4 as three parts, or nothing; print what was written and what was left out.

    Parameters
    ----------
    source : path-like
        CMU's archive or the unpacked folder ``an4``; it is only read.
    root : path-like
        Folder that holds ``LibriSpeech``.

    Returns
    -------
    dict of str to Path
        Folders of ``PARTS``. The dev part holds out every ninth voice of CMU's training part, from
        the first in sorted order; the test part is CMU's. ``LibriSpeech/AN4-SPEAKERS.TXT`` lists
        the voices. Chapter 1 are random words (``an...``), chapter 2 answers (``cen...``).

    Raises
    ------
    DownloadError
        If the source is not AN4, a part is empty or there already, or nothing can be written.
    """
    source, target, left_out = Path(source), Path(root) / FOLDER, defaultdict(list)
    if there := [places.shown(target / part) for part in PARTS if _in_use(target / part)]:
        raise DownloadError(f"There is {', '.join(there)} already: use it, or move it away first.")
    with staged(target) as temporary:
        an4, made = source / "an4" if (source / "an4").is_dir() else source, temporary / "made"
        if source.is_file():
            an4 = unpack(source, temporary / "an4", inside="an4")
        _write(*(_voices(an4, part, source, left_out) for part in _CMU), made, left_out)
        report = [f"left out, {why}: {len(x)} ({', '.join(x)})" for why, x in left_out.items()]
        if empty := [part for part in PARTS if not (made / part).is_dir()]:
            found = f"{places.shown(source)} has nothing for {', '.join(empty)}"
            raise DownloadError(f"{found} ({'; '.join(report) or 'no sound'}): {_EXPECTED}.")
        target.mkdir(exist_ok=True)
        os.replace(made / SPEAKERS, target / SPEAKERS)
        for part in PARTS:
            replace_folder(made / part, target / part, _in_use)
    for folder in (target / part for part in PARTS):
        sounds, voices = len(list(folder.glob("*/*/*.flac"))), len(list(folder.iterdir()))
        print(f"{places.shown(folder)}: {sounds:,} recordings, {voices} speakers")
    print("\n".join(report) or "nothing left out")
    return {part: target / part for part in PARTS}


def _in_use(folder: Path) -> bool:
    """Whether a part is there, by the rule of ``librispeech.open``."""
    return any(folder.glob("[!.]*"))


def _voices(an4: Path, part: str, source: Path, left_out: dict[str, list[str]]) -> _Voices:
    """The recordings of a part of CMU's that have a transcript, in sorted order."""
    path, texts, voices = an4 / "etc" / f"an4_{part}.transcription", {}, defaultdict(dict)
    if not path.is_file():
        raise DownloadError(f"{places.shown(source)} has no etc/{path.name}: {_EXPECTED}.")
    for line in filter(None, map(str.strip, path.read_text("utf-8", "replace").splitlines())):
        if found := _LINE.fullmatch(line):
            texts[found[2]] = found[1].strip().upper()
        else:
            left_out["lines without words or name"].append(line)
    for path in sorted((an4 / "wav" / _CMU[part]).glob("[!.]*/[!.]*")):
        if path.suffix in _READING and path.stem in texts:
            voices[path.parent.name][path] = texts.pop(path.stem)
        elif path.suffix in _READING:
            left_out["recordings without a transcript"].append(path.stem)
    if texts:
        left_out["transcripts without a recording"] += texts
    return voices


def _write(train: _Voices, test: _Voices, made: Path, left_out: dict[str, list[str]]) -> None:
    """Write the parts and the list of speakers."""
    voices = [(PARTS[n % _HELD_OUT == 0], *voice) for n, voice in enumerate(train.items())]
    voices += [(PARTS[2], *voice) for voice in test.items()]
    made.mkdir()
    lines = [f"{n} | {part} | {speaker}\n" for n, (part, speaker, _) in enumerate(voices, _FIRST)]
    (made / SPEAKERS).write_text("; ID | PART | CMU'S NAME\n" + "".join(lines), encoding="utf-8")
    for number, (part, _, texts) in enumerate(voices, _FIRST):
        written = Counter()
        for path, text in texts.items():
            try:
                samples, rate = soundfile.read(path, dtype="int16", **_READING[path.suffix])
            except (soundfile.SoundFileError, OSError):
                samples = ()
            if not len(samples):
                left_out["recordings that are unreadable or empty"].append(path.stem)
                continue
            chapter = f"{number}-{1 if path.name.startswith('an') else 2}"
            folder, name = made / part / chapter.replace("-", "/"), f"{written[chapter]:04d}"
            folder.mkdir(parents=True, exist_ok=True)
            # Through memory: of a full disk, soundfile would not say that it is full.
            soundfile.write(flac := io.BytesIO(), samples, rate, format="FLAC")
            (folder / f"{chapter}-{name}.flac").write_bytes(flac.getbuffer())
            with (folder / f"{chapter}.trans.txt").open("a", encoding="utf-8") as transcripts:
                transcripts.write(f"{chapter}-{name} {text}\n")
            written[chapter] += 1


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.datasets.librispeech.an4")
    parser.add_argument("source", metavar="SOURCE", help="an4_sphere.tar.gz, or the folder an4")
    parser.add_argument("--root", metavar="FOLDER", help="where LibriSpeech is (the data root)")
    options = parser.parse_args(arguments)
    try:
        convert(options.source, options.root or places.data_root())
    except (DownloadError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
