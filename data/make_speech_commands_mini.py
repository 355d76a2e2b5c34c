"""Makes `speech_commands_mini.zip`: a synthetic data set in the layout of Speech Commands v0.02.

Run from the repository's root::

    python data/make_speech_commands_mini.py --output data/speech_commands_mini.zip
    python data/make_speech_commands_mini.py --speaker 0a1b2c3d --output /tmp/one_speaker.zip

Clean synthetic speech is too easy to recognise. Here each clip meets some of the accidents that
happen to recordings of people: see `ACCIDENTS`. Everything is drawn from seeds that name the clip,
so a clip can be remade alone and the whole does not depend on the number of processes.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))  # for tests, which load this file by its path

from synthesis import delivery, noises, packing, papers, rooms, speech, voices
from synthesis.delivery import SAMPLE_RATE, rms
from synthesis.papers import made_with  # noqa: F401
from synthesis.speakers import Speaker, speakers

NAME = "speech_commands_mini"
SEED = 2020
KBIT_PER_S = 12.0
BACKGROUND_SECONDS = 36
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
OFFICIAL_WORDS = ("bed", "bird", "cat", "dog", "four", "happy", "house", "nine", "tree", "wow")
NEAR_WORDS = ("low", "yet", "lift", "ride", "town", "shop")  # go/no, yes, left, right, down, stop
WORDS = COMMANDS + OFFICIAL_WORDS + NEAR_WORDS
# How often a speaker of each part says each command; other words are said once.
TAKES = {"training": 4, "validation": 2, "testing": 3}

# Share of clips that meet each accident; several may meet in one clip.
ACCIDENTS = {
    "mumbled": 0.02,
    "whispered": 0.02,
    "shouted": 0.02,
    "swallowed": 0.03,
    "cut": 0.01,
    "telephone": 0.015,
    "codec": 0.01,
    "overload": 0.01,
    "dropouts": 0.015,
    "handling": 0.015,
    "short": 0.03,
    "very noisy": 0.015,
    "clean": 0.4,
    "quiet": 0.03,
}
Has = Callable[[str], bool]  # whether a clip meets an accident
TEXTS = ("{}", "{}.", "{}!", "{}?", "{},")


def seeded(*what: str | int) -> np.random.Generator:
    """Return the generator of one named thing: a clip, a speaker's noise."""
    return np.random.default_rng([SEED, *(zlib.crc32(str(w).encode()) for w in what)])


@functools.cache
def all_speakers() -> dict[str, Speaker]:
    """Return the speakers by id."""
    return {s.speaker_id: s for s in speakers(SEED)}


def _talkers() -> list[Speaker]:
    """Return the training speakers who may be heard in babble."""
    everyone = all_speakers().values()
    return [s for s in everyone if s.part == "training" and s.engine == "espeak-ng"]


@functools.cache
def _babble() -> np.ndarray:
    """Return 20 s of babble for mixing: other babble than in `_background_noise_`."""
    return noises.babble(20 * SAMPLE_RATE, seeded("babble in clips"), _talkers())


def _texts(word: str, rng: np.random.Generator) -> str:
    return TEXTS[rng.choice(len(TEXTS), p=[0.3, 0.25, 0.15, 0.2, 0.1])].format(word)


def say(speaker: Speaker, word: str, rng: np.random.Generator) -> np.ndarray:
    """Let a speaker say a word: this take's tempo, pitch, emphasis and melody; 16 kHz, dry."""
    tempo = speaker.rate * float(np.exp(rng.normal(0, 0.1)))
    lift, spread, text = rng.normal(0, 1), rng.uniform(0.6, 1.5), _texts(word, rng)
    if speaker.engine == "espeak-ng" and rng.random() < 0.25:
        text = f'<emphasis level="strong">{text}</emphasis>'
    samples, rate = speech.speak(speaker, text, tempo=tempo, lift=lift, spread=spread)
    speed = speaker.tract * float(np.exp(rng.normal(0, 0.025)))
    bend = rng.normal(0, 0.04, 4)
    return delivery.play_at(delivery.trim(samples, rate), rate, speed, bend)


def _noise(kind: str, length: int, rng: np.random.Generator) -> np.ndarray:
    if kind != "babble":
        noise = noises.KINDS[kind](length, rng)
    else:
        start = int(rng.integers(len(_babble()) - length))
        noise = _babble()[start : start + length]
    return noise / (rms(noise) + 1e-12)


def _delivered(word: np.ndarray, has: Has, rng: np.random.Generator) -> np.ndarray:
    """Apply what the speaker does."""
    if has("whispered"):
        word = delivery.whisper(word, rng)
    elif has("mumbled"):
        word = delivery.mumble(word, rng)
    elif has("shouted"):
        word = delivery.shout(word, rng)
    return delivery.swallow(word, rng) if has("swallowed") else word


def _surrounded(
    clip: np.ndarray, level: float, speaker: Speaker, has: Has, rng: np.random.Generator
) -> np.ndarray:
    """Add room and noise; `level` is the RMS of the word itself."""
    room_share, usual_snr = speaker.surroundings
    if rng.random() < room_share:
        clip = rooms.in_room(clip, rng)
    snr = rng.normal(usual_snr, 5)
    if has("very noisy"):
        snr = rng.uniform(0, 8)
    elif has("clean"):
        snr = 40
    kinds = [*noises.KINDS, "babble", "babble"]
    noise = _noise(kinds[rng.integers(len(kinds))], len(clip), rng)
    clip = clip + noise * level * 10 ** (-snr / 20)
    return clip + noises.pink(len(clip), rng) * level * 10 ** (-45 / 20)


def _recorded(clip: np.ndarray, speaker: Speaker, has: Has, rng: np.random.Generator) -> np.ndarray:
    """Apply what microphone and line do."""
    clip = rooms.microphone(clip, np.array(speaker.microphone) + rng.normal(0, 1, 7))
    effects = {
        "handling": rooms.handling,
        "overload": rooms.overload,
        "telephone": rooms.telephone,
        "codec": rooms.thrifty_codec,
        "dropouts": rooms.dropouts,
    }
    for name, effect in effects.items():
        if has(name):
            clip = effect(clip, rng)
    return clip


def make_clip(speaker: Speaker, word: str, take: int) -> np.ndarray:
    """Make one clip.

    Parameters
    ----------
    speaker
        Who says it.
    word
        What is said.
    take
        Counts this speaker's clips of this word from 0.

    Returns
    -------
    numpy.ndarray
        int16, at most 16000 samples at 16 kHz.

    Raises
    ------
    voices.SynthesisError
        If the synthesiser cannot say it.
    """
    rng = seeded(speaker.speaker_id, word, take)
    met = dict(zip(ACCIDENTS, rng.random(len(ACCIDENTS)), strict=True))

    def has(accident: str) -> bool:
        return met[accident] < ACCIDENTS[accident]

    said = _delivered(say(speaker, word, rng), has, rng)
    level = rms(said)
    # The shorter clips of the real set have odd lengths too.
    length = int(rng.integers(11000, 15900)) if has("short") else SAMPLE_RATE
    cut = rng.uniform(0.06, 0.2) if has("cut") else 0.0
    clip = delivery.place(said, length, rng, cut)
    clip = _recorded(_surrounded(clip, level, speaker, has, rng), speaker, has, rng)
    loudness = speaker.level_db + rng.normal(0, 2.5) - (12 if has("quiet") else 0)
    clip = clip * 10 ** (loudness / 20) / (rms(clip) + 1e-12)
    clip = clip / max(1.0, np.abs(clip).max() / 0.99)
    return np.round(np.clip(clip, -1, 1) * 32767).astype(np.int16)


def takes(word: str, part: str) -> int:
    """Return how often each speaker of a part says a word."""
    return TAKES[part] if word in COMMANDS else 1


def make_speaker(speaker_id: str) -> dict[str, bytes]:
    """Make all clips of one speaker: archive name -> Ogg Opus file."""
    speaker = all_speakers()[speaker_id]
    return {
        f"{word}/{speaker_id}_nohash_{take}.opus": packing.encode_opus(
            make_clip(speaker, word, take), KBIT_PER_S
        )
        for word in WORDS
        for take in range(takes(word, speaker.part))
    }


def make_background(name: str) -> dict[str, bytes]:
    """Make one file of `_background_noise_`."""
    rng, length = seeded("background", name), BACKGROUND_SECONDS * SAMPLE_RATE
    kind = noises.BACKGROUNDS[name]
    if kind == "babble":
        noise = noises.babble(length, rng, _talkers())
    else:
        noise = noises.KINDS[kind](length, rng)
    noise = noise / rms(noise) * 0.07
    samples = np.round(np.clip(noise, -1, 1) * 32767).astype(np.int16)
    return {f"_background_noise_/{name}.opus": packing.encode_opus(samples, KBIT_PER_S)}


def _make(job: tuple[str, str]) -> dict[str, bytes]:
    return make_speaker(job[1]) if job[0] == "speaker" else make_background(job[1])


def lists(names: list[str]) -> dict[str, bytes]:
    """Return `validation_list.txt` and `testing_list.txt` for the clips named."""

    def part(name: str) -> str:
        return all_speakers()[name.split("/")[1].split("_")[0]].part

    words = [n for n in sorted(names) if not n.startswith("_")]
    return {
        f"{which}_list.txt": "".join(
            f"{n.removesuffix('.opus')}.wav\n" for n in words if part(n) == which
        ).encode()
        for which in ("validation", "testing")
    }


def make_archive(path: Path, processes: int = 2) -> dict[str, object]:
    """Make the whole data set, write it and return its card."""
    voices.require_packages()
    jobs = [("background", n) for n in noises.BACKGROUNDS]
    jobs += [("speaker", s) for s in all_speakers()]
    entries: dict[str, bytes] = {}
    with ProcessPoolExecutor(processes) as pool:
        for made in pool.map(_make, jobs):
            entries |= made
    names = sorted(entries)
    texts = {
        "LICENSE": papers.LICENCE,
        "README.md": papers.README.format(**papers.counts(names, all_speakers())),
    }
    entries |= lists(names) | {name: text.encode() for name, text in texts.items()}
    packing.write_zip(path, entries)
    return papers.card(path, names, all_speakers(), ACCIDENTS, f"data/{Path(__file__).name}")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / f"{NAME}.zip")
    parser.add_argument("--speaker", help="make this speaker's clips only, and no card")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    began = time.perf_counter()
    voices.require_packages()
    if args.speaker:
        packing.write_zip(args.output, make_speaker(args.speaker))
    else:
        card = make_archive(args.output, args.processes)
        papers.write_card(args.output.with_suffix(".json"), card)
    print(f"{args.output}: {args.output.stat().st_size} bytes, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
