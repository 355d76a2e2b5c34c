"""The table of synthetic speakers: who they are, how they talk and what they talk into.

A speaker is one engine, one voice and one accent with habits of its own. An espeak-ng variant is
used once, with one accent, so that no two speakers share it. Relatives (``Gene`` and ``Gene2``, or
one recorded person behind a flite and a festival voice) stand in the same part of the data, so
that a test voice was never heard in training.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import numpy as np

from course_utils.datasets.speech_commands import partition

PARTS = ("training", "validation", "testing")

ACCENTS = (
    "en-us",
    "en-gb",
    "en-gb-x-rp",
    "en-us-nyc",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
)

# espeak-ng 1.51's variants, in the order of `ls voices/!v`. Left out: robots and monsters
# (UniRobot, anikaRobot, robosoft 1-8, Demonic, Tweaky), eternal whisperers (whisper, whisperf: here
# anybody may whisper), `fast` (a tempo, not a voice), klatt and klatt6 (sound exactly like caleb).
VARIANTS = (
    "Alex",
    "Alicia",
    "Andrea",
    "Andy",
    "Annie",
    "AnxiousAndy",
    "Denis",
    "Diogo",
    "Gene",
    "Gene2",
    "Henrique",
    "Hugo",
    "Jacky",
    "Lee",
    "Marco",
    "Mario",
    "Michael",
    "Mike",
    "Mr serious",
    "Nguyen",
    "RicishayMax",
    "RicishayMax2",
    "RicishayMax3",
    "Storm",
    "adam",
    "anika",
    "announcer",
    "antonio",
    "aunty",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "croak",
    "david",
    "ed",
    "edward",
    "edward2",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "grandma",
    "grandpa",
    "gustave",
    "iven",
    "iven2",
    "iven3",
    "iven4",
    "john",
    "kaukovalta",
    "klatt2",
    "klatt3",
    "klatt4",
    "klatt5",
    "linda",
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "marcelo",
    "max",
    "michel",
    "miguel",
    "norbert",
    "pablo",
    "paul",
    "pedro",
    "quincy",
    "rob",
    "robert",
    "sandro",
    "shelby",
    "steph",
    "steph2",
    "steph3",
    "travis",
    "victor",
    "zac",
)

# (engine, voice, accent, part, mean pitch in Hz, vocal-tract scales); one line, one person at most
RECORDED = (
    ("flite", "kal16", "en-us", "training", 105, (0.92, 1.06)),
    ("festival", "kal_diphone", "en-us", "training", 110, (1.0, 1.14)),
    ("flite", "slt", "en-us", "training", 170, (1.0, 1.12)),
    ("festival", "cmu_us_slt_arctic_hts", "en-us", "training", 180, (0.9, 1.06)),
    ("flite", "awb", "en-gb-scotland", "training", 130, (0.93, 1.02, 1.12)),
    ("festival", "ked_diphone", "en-us", "validation", 110, (0.95, 1.08)),
    ("flite", "rms", "en-us", "testing", 105, (0.98, 1.1)),
)

# How many espeak-ng variants stand in each of the smaller parts.
VARIANTS_IN_PART = {"validation": 9, "testing": 16}


@dataclass(frozen=True)
class Speaker:
    """One synthetic speaker.

    Attributes
    ----------
    speaker_id
        8 hexadecimal digits, as in the file names. The data set's own hash puts it into `part`.
    engine, voice, accent, part
        What is called, and where the clips go.
    rate
        Tempo relative to the engine's own.
    pitch, pitch_range
        espeak-ng: 0 to 99; the others: Hz.
    tract
        Playback speed; above 1 is a shorter vocal tract.
    level_db
        Habitual level of the recordings (RMS of the word, dB full scale).
    microphone
        Gains in dB at 125, 250, ... 8000 Hz (seven octaves).
    surroundings
        Share of clips recorded in a room, and the usual signal-to-noise ratio in dB.
    """

    speaker_id: str
    engine: str
    voice: str
    accent: str
    part: str
    rate: float
    pitch: float
    pitch_range: float
    tract: float
    level_db: float
    microphone: tuple[float, ...]
    surroundings: tuple[float, float]


def _speaker_id(name: str, part: str) -> str:
    """Find an id on which the hash and the lists agree, so that either gives the same split."""
    attempt = 0
    while True:
        candidate = hashlib.sha1(f"{name} {attempt}".encode()).hexdigest()[:8]
        if partition(f"{candidate}_nohash_0.wav") == part:
            return candidate
        attempt += 1


def _family(variant: str) -> str:
    """Group relatives; the plain f and m series of espeak-ng are different people."""
    return variant if re.fullmatch(r"[fm]\d", variant) else re.sub(r"\d+$", "", variant)


def _variant_parts(rng: np.random.Generator) -> dict[str, str]:
    """Deal espeak-ng's variants to the parts, family by family."""
    families: dict[str, list[str]] = {}
    for variant in VARIANTS:
        families.setdefault(_family(variant), []).append(variant)
    # The Klatt synthesiser stays in training, together with caleb, which uses it too.
    names = [name for name in families if name not in ("klatt", "caleb")]
    wanted = dict(VARIANTS_IN_PART)
    parts = dict.fromkeys(VARIANTS, "training")
    for name in rng.permutation(names):
        for part, room in wanted.items():
            if len(families[name]) <= room:
                parts.update(dict.fromkeys(families[name], part))
                wanted[part] -= len(families[name])
                break
    return parts


def _habits(rng: np.random.Generator) -> dict[str, object]:
    """Draw what is the speaker's own, whatever the engine."""
    slope, bumps = rng.normal(0, 1), rng.normal(0, 2, 7)
    low_cut = rng.choice([0.0, 5.0, 12.0], p=[0.5, 0.35, 0.15])
    gains = slope * (np.arange(7) - 3) + bumps - low_cut * np.array([1, 0.5, 0.1, 0, 0, 0, 0])
    return {
        "rate": float(rng.uniform(0.85, 1.2)),
        "level_db": float(np.clip(rng.normal(-24, 6), -38, -13)),
        "microphone": tuple(float(g) for g in np.round(gains, 2)),
        "surroundings": (float(rng.choice([0.2, 0.4, 0.7])), float(rng.normal(28, 4))),
    }


def speakers(seed: int) -> list[Speaker]:
    """Return the whole table, in a fixed order.

    Parameters
    ----------
    seed
        Of all draws.

    Returns
    -------
    list of Speaker
        espeak-ng's variants first, then flite's and festival's voices.
    """
    rng = np.random.default_rng([seed, 1])
    parts = _variant_parts(rng)
    accents = [ACCENTS[i % len(ACCENTS)] for i in rng.permutation(len(VARIANTS))]
    table = []
    for variant, accent in zip(VARIANTS, accents, strict=True):
        name = f"espeak-ng {variant}"
        habits = _habits(rng)
        pitch, pitch_range = float(rng.uniform(28, 75)), float(rng.uniform(20, 85))
        tract = float(rng.uniform(0.9, 1.13))
        table.append(
            Speaker(
                _speaker_id(name, parts[variant]),
                "espeak-ng",
                variant,
                accent,
                parts[variant],
                pitch=pitch,
                pitch_range=pitch_range,
                tract=tract,
                **habits,
            )
        )
    for engine, voice, accent, part, hertz, tracts in RECORDED:
        for tract in tracts:
            name = f"{engine} {voice} {tract}"
            pitch, spread = hertz * float(rng.uniform(0.85, 1.2)), float(rng.uniform(8, 25))
            table.append(
                Speaker(
                    _speaker_id(name, part),
                    engine,
                    voice,
                    accent,
                    part,
                    pitch=pitch,
                    pitch_range=spread,
                    tract=tract,
                    **_habits(rng),
                )
            )
    return table
