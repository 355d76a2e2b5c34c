"""The papers that come with an archive: its card, and the texts inside."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import scipy
import soundfile as sf

from synthesis import voices
from synthesis.delivery import SAMPLE_RATE
from synthesis.speakers import PARTS, Speaker

LICENCE = """The recordings in this archive were made by computer programs.
Their makers waive all rights in them: CC0 1.0 Universal
(https://creativecommons.org/publicdomain/zero/1.0/).

The voices are those of espeak-ng (GPL; what the program says is free to use) and of flite and
festival (Carnegie Mellon University, University of Edinburgh; free licences in the style of BSD).
"""

README = """# Speech Commands mini

{clips} one-second clips of {words} English words by {speakers} synthetic speakers, in the layout
of Google Speech Commands v0.02: `<word>/<speaker>_nohash_<take>.wav`, 16 kHz, 16-bit, mono.
No person was recorded. Espeak-ng, flite and festival say the words; a program then lets them
mumble, whisper and shout, puts them into rooms and noise, and records them badly.

`validation_list.txt` and `testing_list.txt` name the clips of those parts; all others are for
training. No speaker, and no voice of a synthesiser, is in two parts. The real data set's hash of
the speaker's id gives the same parts. `_background_noise_` holds generated noise.
"""

DESCRIPTION = (
    "One-second recordings of the ten command words and {others} other English words by "
    "{speakers} synthetic speakers, in the layout of Google Speech Commands, with "
    "{backgrounds} generated background noises."
)

HOW_MADE = (
    "espeak-ng, flite and festival say every word with every voice; each speaker has a tempo, "
    "pitch, vocal-tract length, level, microphone and surroundings of their own. Each take varies "
    "tempo, pitch, emphasis and melody, and meets some of the accidents in `accidents` (share of "
    "clips): mumbled, whispered or shouted words, swallowed or cut edges, rooms, noise, telephone "
    "band, a thrifty codec, overload, dropouts. Stored as Ogg Opus; unpacking writes 16-bit WAV."
)


def made_with(packages: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of all that can change a byte of the archive.

    Parameters
    ----------
    packages
        Debian packages; by default those of the speech synthesisers.
    """
    return voices.package_versions(packages) | {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "soundfile": sf.__version__,
        "libsndfile": sf.__libsndfile_version__,
    }


def counts(names: list[str], speakers: dict[str, Speaker]) -> dict[str, int]:
    """Count clips, words, speakers, the clips of each part, and background noises.

    Parameters
    ----------
    names
        Sound files in the archive, ``word/speaker_nohash_take.opus``.
    speakers
        By id.
    """
    clips = [n for n in names if not n.startswith("_")]
    parts = Counter(speakers[n.split("/")[1].split("_")[0]].part for n in clips)
    return {
        "clips": len(clips),
        "words": len({n.split("/")[0] for n in clips}),
        "speakers": len(speakers),
        **{part: parts[part] for part in PARTS},
        "backgrounds": len(names) - len(clips),
    }


def card(
    archive: Path,
    names: list[str],
    speakers: dict[str, Speaker],
    accidents: dict[str, float],
    script: str,
) -> dict[str, object]:
    """Describe an archive that was just written.

    Parameters
    ----------
    archive
        The zip.
    names
        Sound files in it.
    speakers
        By id.
    accidents
        Share of clips that meet each.
    script
        What made it, relative to the repository's root.

    Returns
    -------
    dict
        What goes into the JSON file, without measurements.
    """
    content, number = archive.read_bytes(), counts(names, speakers)
    texts = {**number, "others": number["words"] - 10}
    clips = Counter(n.split("/")[0] for n in names if not n.startswith("_"))
    table = {
        i: {k: v for k, v in asdict(s).items() if k in ("engine", "voice", "accent", "part")}
        for i, s in sorted(speakers.items())
    }
    return {
        "name": archive.stem,
        "title": "Speech Commands mini (synthetic)",
        "description": DESCRIPTION.format(**texts),
        "licence": "CC0 1.0",
        "source": f"Made by this project with {script}; layout after Pete Warden, Speech Commands:"
        " A Dataset for Limited-Vocabulary Speech Recognition, 2018, arXiv:1804.03209",
        "archive": archive.name,
        "url": None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "sample_rate": SAMPLE_RATE,
        "counts": number,
        "what": "Speech commands for learning offline: small, synthetic, about as hard as people.",
        "how_made": HOW_MADE,
        "made_by": script,
        "made_with": made_with(),
        "accidents": accidents,
        "clips_per_word": dict(sorted(clips.items())),
        "speakers_per_part": dict(Counter(s.part for s in speakers.values())),
        "speakers": table,
    }


def write_card(path: Path, content: dict[str, object]) -> None:
    """Write a card, keeping the measured difficulty if it is of this very archive."""
    if path.exists():
        old = json.loads(path.read_text(encoding="utf-8"))
        if old.get("sha256") == content["sha256"] and "difficulty" in old:
            content = content | {"difficulty": old["difficulty"]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
