"""Makes `librispeech_mini.zip`: synthetic read speech in the layout of LibriSpeech.

Run from the repository's root::

    python data/make_librispeech_mini.py --output data/librispeech_mini.zip
    python data/make_librispeech_mini.py --speaker 20003 --output /tmp/one_speaker.zip

Each voice reads sentences of its own; no sentence and no voice stands in two parts. Everything is
drawn from seeds that name the utterance, so that one can be remade alone and the whole does not
depend on the number of processes.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parent))  # for tests, which load this file by its path

from synthesis import delivery, noises, packing, papers, rooms, speech, voices
from synthesis.delivery import SAMPLE_RATE, rms
from synthesis.sentences import sentences
from synthesis.speakers import Speaker, speakers

NAME = "librispeech_mini"
SEED = 2035  # with it, every word is heard three times or more in training
TABLE_SEED = 2020  # of speech_commands_mini: no voice tests here and trains there
KBIT_PER_S = 14.0
# Part of the table of speakers -> (folder, voices, sentences that each reads).
PARTS = {
    "training": ("train-clean-mini", 34, 26),
    "validation": ("dev-clean-mini", 6, 16),
    "testing": ("test-clean-mini", 13, 12),
}
# One synthesiser, six accents: then a few hundred sentences are enough to understand a new voice.
# The recorded people behind flite's and festival's voices are too few to learn them from.
ENGINE = "espeak-ng"
# Variants that echo, or whose first three formants lie below 70 or above 140 % of their place: no
# mouth speaks like that. Whoever has not heard them does not understand them.
UNLIKE_PEOPLE = (
    "Alicia", "Jacky", "Lee", "Marco", "Michael", "RicishayMax", "RicishayMax2", "RicishayMax3",
    "boris", "gustave", "kaukovalta", "marcelo", "travis", "zac",
)  # fmt: skip
ACCENTS = ("en-us", "en-gb", "en-gb-x-rp", "en-us-nyc", "en-gb-x-gbclan", "en-gb-x-gbcwmd")
ROOM_SHARE = 0.1
TEXT_FILE, TEXT_SENTENCES = "librispeech-lm-norm.txt", 4000
FIRST_ID, FIRST_CHAPTER = 20001, 300001
DESCRIPTION = (
    "{utterances} sentences of plain English, {minutes:.0f} minutes, read by {speakers} synthetic"
    " voices in quiet rooms, in the layout of LibriSpeech; {words} different words."
)
HOW_MADE = (
    "espeak-ng reads sentences drawn from the patterns of"
    " data/synthesis/sentences.py; each voice has a tempo, pitch, vocal-tract length, level and"
    " microphone of its own, a tenth of the utterances a room, and all a little noise."
    " {text} holds {count} more sentences that nobody reads, for language models. Stored as Ogg"
    " Opus; unpacking writes FLAC."
)
README = """# LibriSpeech mini

{description}

The layout is that of LibriSpeech: `<part>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac`,
16 kHz, 16-bit, mono, beside `<speaker>-<chapter>.trans.txt`. No person was recorded. No voice and
no sentence is in two parts. `SPEAKERS.TXT` lists the voices. `{text}` holds {count} sentences that
nobody reads and that are in no part.
"""


@dataclass(frozen=True)
class Reader:
    """A voice with its number, its part of the data and what it reads."""

    number: int
    speaker: Speaker
    folder: str
    sentences: tuple[str, ...]

    @property
    def chapter(self) -> str:
        """Speaker and chapter, as file names begin."""
        return f"{self.number}-{FIRST_CHAPTER + self.number - FIRST_ID}"

    def path(self, ending: str) -> str:
        """Where a file of this reader lies in the archive."""
        speaker, chapter = self.chapter.split("-")
        return f"{self.folder}/{speaker}/{chapter}/{self.chapter}{ending}"


@functools.cache
def readers() -> dict[int, Reader]:
    """Return all readers by number."""
    table = speakers(TABLE_SEED)
    wanted = {part: voices * each for part, (_, voices, each) in PARTS.items()}
    texts = iter(_texts()[: sum(wanted.values())])
    found: dict[int, Reader] = {}
    for part, (folder, count, each) in PARTS.items():
        members = [s for s in table if s.part == part and _reads(s)]
        chosen = np.random.default_rng([SEED, 2]).permutation(len(members))[:count]
        for index in sorted(chosen):
            number = FIRST_ID + len(found)
            own = tuple(next(texts) for _ in range(each))
            found[number] = Reader(number, members[index], folder, own)
    return found


def _reads(speaker: Speaker) -> bool:
    """Whether a speaker of the table reads aloud here."""
    alike = speaker.engine == ENGINE and speaker.accent in ACCENTS
    return alike and speaker.voice not in UNLIKE_PEOPLE


@functools.cache
def _texts() -> list[str]:
    """Return all sentences: those that are read, then those that are only written."""
    read = sum(voices * each for _, voices, each in PARTS.values())
    return sentences(read + TEXT_SENTENCES, np.random.default_rng([SEED, 1]))


def make_utterance(reader: Reader, index: int) -> np.ndarray:
    """Let a reader read one sentence.

    Parameters
    ----------
    reader
        Who reads.
    index
        Which of the reader's sentences.

    Returns
    -------
    numpy.ndarray
        int16 at 16 kHz, shape ``(samples,)``.

    Raises
    ------
    voices.SynthesisError
        If the synthesiser cannot say it.
    """
    rng = np.random.default_rng([SEED, reader.number, index])
    speaker = reader.speaker
    # Who reads aloud does not hurry.
    tempo = min(speaker.rate, 1.0) * float(np.exp(rng.normal(0, 0.05)))
    lift, spread = rng.normal(0, 0.5), rng.uniform(0.7, 1.3)
    said, rate = speech.speak(
        speaker, reader.sentences[index], tempo=tempo, lift=lift, spread=spread
    )
    speed = speaker.tract * float(np.exp(rng.normal(0, 0.015)))
    said = delivery.play_at(delivery.trim(said, rate), rate, speed, rng.normal(0, 0.02, 8))
    before, after = (int(s * SAMPLE_RATE) for s in rng.uniform(0.1, 0.35, 2))
    sound = _recorded(np.pad(said, (before, after)), rms(said), speaker, rng)
    sound = sound * 10 ** (max(speaker.level_db, -30) / 20) / (rms(sound) + 1e-12)
    sound = sound / max(1.0, np.abs(sound).max() / 0.9)
    return np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)


def _recorded(
    sound: np.ndarray, level: float, speaker: Speaker, rng: np.random.Generator
) -> np.ndarray:
    """Add what is quiet about a quiet room: some echo, some noise; then the microphone."""
    if rng.random() < ROOM_SHARE:
        sound = rooms.in_room(sound, rng)
    kind = [*noises.KINDS][rng.integers(len(noises.KINDS))]
    noise = noises.KINDS[kind](len(sound), rng)
    noise = noise / (rms(noise) + 1e-12)
    sound = sound + noise * level * 10 ** (-np.clip(rng.normal(32, 5), 18, 45) / 20)
    return rooms.microphone(sound, np.array(speaker.microphone) + rng.normal(0, 1, 7))


def encoded(sound: np.ndarray) -> bytes:
    """Encode a sound, at half its level if need be: Opus turns a rare vowel into a burst."""
    for gain in (1, 0.5, 0.25):
        quieter = np.round(sound * gain).astype(np.int16)
        data = packing.encode_opus(quieter, KBIT_PER_S)
        decoded, _ = sf.read(io.BytesIO(data), dtype="float32")
        if np.abs(decoded).max() < 1.5 * np.abs(quieter).max() / 32768:
            return data
    raise ValueError("Opus adds a burst at every level; let the voice read something else.")


def make_reader(number: int) -> tuple[dict[str, bytes], int]:
    """Make all files of one reader: archive name -> content; and how many samples that is."""
    reader = readers()[number]
    entries, samples = {}, 0
    for index in range(len(reader.sentences)):
        sound = make_utterance(reader, index)
        entries[reader.path(f"-{index:04d}.opus")] = encoded(sound)
        samples += len(sound)
    lines = (f"{reader.chapter}-{k:04d} {t.upper()}\n" for k, t in enumerate(reader.sentences))
    return entries | {reader.path(".trans.txt"): "".join(lines).encode()}, samples


def speakers_table(seconds: dict[int, float]) -> str:
    """Return `SPEAKERS.TXT`: number, a dash for the sex, part, minutes, voice."""
    lines = [";ID    |SEX| SUBSET           |MINUTES| NAME"]
    for number, reader in readers().items():
        voice = f"{reader.speaker.engine} {reader.speaker.voice}, {reader.speaker.accent}"
        minutes = seconds[number] / 60
        lines.append(f"{number:<6} | - | {reader.folder:<16} | {minutes:5.2f} | {voice}")
    return "\n".join(lines) + "\n"


def make_archive(path: Path, processes: int = 2) -> dict[str, object]:
    """Make the whole data set, write it and return its card."""
    voices.require_packages()
    entries: dict[str, bytes] = {}
    seconds: dict[int, float] = {}
    with ProcessPoolExecutor(processes) as pool:
        for number, (made, samples) in zip(
            readers(), pool.map(make_reader, readers()), strict=True
        ):
            entries |= made
            seconds[number] = samples / SAMPLE_RATE
    counts = counted(sum(seconds.values()))
    description = DESCRIPTION.format(**counts)
    written = _texts()[counts["utterances"] :]
    texts = {
        TEXT_FILE: "".join(f"{text.upper()}\n" for text in written),
        "SPEAKERS.TXT": speakers_table(seconds),
        "LICENSE": papers.LICENCE,
        "README.md": README.format(description=description, text=TEXT_FILE, count=len(written)),
    }
    packing.write_zip(path, entries | {name: text.encode() for name, text in texts.items()})
    return card(path, description, counts)


def counted(seconds: float) -> dict[str, object]:
    """Count utterances, speakers, words and minutes, and the utterances of each part."""
    read = [text for reader in readers().values() for text in reader.sentences]
    parts = Counter(reader.folder for reader in readers().values() for _ in reader.sentences)
    return {
        "utterances": len(read),
        "speakers": len(readers()),
        "words": len({word for text in read for word in text.split()}),
        "minutes": round(seconds / 60, 1),
        **parts,
    }


def card(path: Path, description: str, counts: dict[str, object]) -> dict[str, object]:
    """Describe an archive that was just written."""
    content, script = path.read_bytes(), f"data/{Path(__file__).name}"
    table = {
        number: {"voice": f"{r.speaker.engine} {r.speaker.voice}", "accent": r.speaker.accent,
                 "part": r.folder}
        for number, r in readers().items()
    }  # fmt: skip
    return {
        "name": path.stem,
        "title": "LibriSpeech mini (synthetic)",
        "description": description,
        "licence": "CC0 1.0",
        "source": f"Made by this project with {script}; layout after Panayotov, Chen, Povey and"
        " Khudanpur, Librispeech: An ASR Corpus Based on Public Domain Audio Books, ICASSP 2015",
        "archive": path.name,
        "url": None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "sample_rate": SAMPLE_RATE,
        "counts": counts,
        "sound": "flac",
        "how_made": HOW_MADE.format(text=TEXT_FILE, count=TEXT_SENTENCES),
        "made_by": script,
        "made_with": papers.made_with(),
        "speakers": table,
    }


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / f"{NAME}.zip")
    parser.add_argument("--speaker", type=int, help="make this reader's files only, and no card")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    began = time.perf_counter()
    voices.require_packages()
    if args.speaker is not None:
        if args.speaker not in readers():
            parser.error(f"no speaker {args.speaker}; choose one of {FIRST_ID} to {max(readers())}")
        packing.write_zip(args.output, make_reader(args.speaker)[0])
    else:
        made = make_archive(args.output, args.processes)
        papers.write_card(args.output.with_suffix(".json"), made)
    print(f"{args.output}: {args.output.stat().st_size} bytes, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
