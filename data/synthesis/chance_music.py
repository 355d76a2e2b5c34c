"""Music by chance: what a network hears before it meets genres.

Programs, scales, tempi, rhythms, drums and the sound of the recording are all drawn at random and
independently of each other, and of `synthesis.music`: no genre and no artist is in it. What was
drawn is known, so that a network can be asked for it (`FACTS`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from synthesis.soundfont import DRUMS, Note

SECONDS = 3.0
APART_S = 4.2  # from one scene to the next in a medley: time for the last one to die away
SCENES = 8  # in a medley
SAMPLE_RATE = 22050
_LEAD_S = 0.15  # a scene is already playing when its clip begins
_BAR = 16  # steps

FAMILIES = (
    "piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "pipe", "synth lead", "synth pad", "synth effects", "ethnic", "percussive", "effects",
)  # fmt: skip
"""General MIDI's, eight programs each."""

ROLES = ("chords", "arpeggio", "line", "bass line", "drone")
DRUM_KEYS = {
    "kick": (35, 36), "snare": (37, 38, 39, 40), "closed hat": (42, 44),
    "cymbals": (46, 49, 51, 52, 55, 57, 59), "toms": (41, 43, 45, 47, 48, 50),
    "hand percussion": (54, 56, *range(60, 82)),
}  # fmt: skip
DRUM_KITS = (0, 8, 16, 24, 25, 32, 40, 48)
TEMPI = (80, 110, 145)  # beats per minute: limits between four classes
RATES = (3, 7, 13)  # notes per second, drums left out: limits between four classes
SOUNDS = ("distorted", "dull", "thin", "noisy", "crackling", "in a room", "pumping")
FACTS = (
    *FAMILIES, *ROLES, "drums", *DRUM_KEYS,
    *(f"tempo class {n}" for n in range(4)), *(f"rate class {n}" for n in range(4)),
    "kick on each beat", "snare off the beat", "fast hat", "short notes", "long notes", "high",
    *SOUNDS, *(f"program {n}" for n in range(128)),
)  # fmt: skip
"""What is asked about a scene: yes or no, all of it. A network that may answer with `piano` alone
need not hear more than that; the programs make it listen more closely."""


@dataclass(frozen=True)
class Medley:
    """Scenes that one run of the synthesiser plays one after the other, `APART_S` apart.

    Attributes
    ----------
    notes : list of Note
    programs : dict of int to int
        Channel to General MIDI program.
    room : float
    facts : list of set of str
        Per scene what is true of it, words of `FACTS`.
    """

    notes: list[Note]
    programs: dict[int, int]
    room: float
    facts: list[set[str]]

    @property
    def seconds(self) -> float:
        """Length of all of it."""
        return SCENES * APART_S


def medley(rng: np.random.Generator) -> Medley:
    """Draw a medley: the programs of fifteen channels, and scenes that use a few of them each."""
    programs = {channel: int(rng.integers(128)) for channel in range(16)}
    programs[DRUMS] = int(rng.choice(DRUM_KITS))
    room = float(rng.uniform(0.3, 0.9)) if rng.random() < 0.5 else 0.0
    notes, facts = [], []
    for number in range(SCENES):
        played, true = _Scene(rng, programs).play()
        notes += [_shifted(note, number * APART_S) for note in played]
        facts.append(true | ({"in a room"} if room else set()))
    return Medley(notes, programs, room, facts)


def _shifted(note: Note, by_s: float) -> Note:
    return Note(note.start_s + by_s, note.seconds, note.channel, note.key, note.velocity)


class _Scene:
    """What the parts of one scene have in common, and the drawing of its parts."""

    def __init__(self, rng: np.random.Generator, programs: dict[int, int]) -> None:
        self.rng, self.programs, self.facts = rng, programs, set()
        tempo = float(np.exp(rng.uniform(np.log(60), np.log(190))))
        self.step_s = 60 / tempo / 4
        self.swing = rng.uniform(0.15, 0.35) * 2 if rng.random() < 0.25 else 0.0
        self.loose_s = rng.uniform(0.012, 0.03) if rng.random() < 0.3 else 0.002
        self.phase = int(rng.integers(_BAR))  # the clip begins anywhere in the bar
        self.root, self.scale = int(rng.integers(12)), self._drawn_scale()
        self.facts.add(f"tempo class {np.searchsorted(TEMPI, tempo)}")

    def _drawn_scale(self) -> np.ndarray:
        """Tones above the root in semitones."""
        rng = self.rng
        third = [(3,), (4,), (3, 4), ()][rng.choice(4, p=[0.4, 0.4, 0.1, 0.1])]
        others = [tone for tone in (1, 2, 5, 6, 8, 9, 10, 11) if rng.random() < 0.45]
        scale = np.array(sorted({0, 7, *third, *others}), float)
        if rng.random() < 0.12:
            scale = scale + 0.5 * (rng.random(len(scale)) < 0.4) * (scale > 0)
        return scale

    def play(self) -> tuple[list[Note], set[str]]:
        """Draw the notes, and say what is true of them."""
        rng = self.rng
        has_drums = rng.random() < 0.65
        least = 0 if has_drums and rng.random() < 0.1 else 1
        count = max(least, int(rng.choice(5, p=[0.05, 0.45, 0.3, 0.15, 0.05])))
        channels = rng.permutation([c for c in range(16) if c != DRUMS])[:count]
        melodic = [note for channel in channels for note in self._part(int(channel))]
        if melodic:
            sounding_s = APART_S - 1.0
            self.facts.add(f"rate class {np.searchsorted(RATES, len(melodic) / sounding_s)}")
            if np.mean([note.key for note in melodic]) > 70:
                self.facts.add("high")
        return melodic + (self._drums() if has_drums else []), self.facts

    def _times(self, pattern: np.ndarray) -> list[tuple[int, float]]:
        """(step of the bar, seconds) of a repeated pattern's notes, a little human."""
        found = []
        for step in range(int((APART_S - 1.0) / self.step_s)):
            inside = (step + self.phase) % _BAR
            if pattern[inside] and (inside == 0 or self.rng.random() < 0.95):
                late = self.swing * (inside % 4 == 2) + self.swing / 2 * (inside % 2)
                time = (step + late) * self.step_s + self.rng.normal(0, self.loose_s)
                found.append((inside, max(0.0, time)))
        return found

    def _rhythm(self, density: float) -> np.ndarray:
        """Steps of a bar on which something sounds: every so often, or anywhere."""
        if self.rng.random() < 0.5:
            every = int(self.rng.choice([1, 2, 3, 4, 8], p=[0.1, 0.3, 0.15, 0.35, 0.1]))
            return (np.arange(_BAR) - int(self.rng.integers(every))) % every == 0
        pattern = self.rng.random(_BAR) < density
        pattern[int(self.rng.integers(_BAR))] = True
        return pattern

    def _part(self, channel: int) -> list[Note]:
        """One instrument's notes."""
        rng, program = self.rng, self.programs[channel]
        role = str(rng.choice(ROLES, p=[0.25, 0.2, 0.3, 0.15, 0.1]))
        self.facts |= {FAMILIES[program // 8], f"program {program}", role}
        held = rng.choice([0.4, 1.0, 2.5], p=[0.35, 0.4, 0.25])
        if role == "drone":
            held, pattern = 8.0, np.arange(_BAR) == 0
            pattern[self.phase] = True
        else:
            pattern = self._rhythm(rng.beta(2, 4))
            self.facts |= {0.4: {"short notes"}, 2.5: {"long notes"}}.get(held, set())
        centre = rng.uniform(30, 42) if role == "bass line" else rng.uniform(48, 80)
        loud, accent, degree = rng.uniform(60, 115), rng.uniform(0, 25), 0
        notes = []
        for inside, time in self._times(pattern):
            degree = self._next(degree, role)
            velocity = int(np.clip(loud + accent * (inside % 4 == 0) + rng.normal(0, 6), 20, 127))
            for key in self._keys(degree, centre, role):
                seconds = max(0.05, held * self.step_s * (4 if role == "chords" else 2))
                notes.append(Note(time, seconds, channel, key, velocity))
        return notes

    def _next(self, degree: int, role: str) -> int:
        """The scale's step that comes after another."""
        if role == "arpeggio":
            return degree + 2 if degree < 8 else 0
        if role == "drone" or self.rng.random() < 0.3:
            return degree
        return int(np.clip(degree + self.rng.integers(-3, 4), -5, 9))

    def _keys(self, degree: int, centre: float, role: str) -> list[float]:
        """Keys that sound together."""
        degrees = [degree, degree + 2, degree + 4] if role == "chords" else [degree]
        base = 12 * round((centre - self.root) / 12) + self.root
        keys = []
        for each in degrees:
            octave, tone = divmod(each, len(self.scale))
            keys.append(float(np.clip(base + 12 * octave + self.scale[tone], 12, 115)))
        return keys

    def _drums(self) -> list[Note]:
        """A drum pattern: which drums, and when each."""
        rng, notes = self.rng, []
        chosen = [name for name in DRUM_KEYS if rng.random() < 0.5] or ["kick"]
        self.facts |= {"drums", *chosen}
        for name in chosen:
            pattern = self._rhythm(rng.beta(2, 4))
            self.facts |= _habits(name, pattern)
            keys = rng.choice(DRUM_KEYS[name], size=min(3, len(DRUM_KEYS[name])), replace=False)
            loud = rng.uniform(60, 120)
            for inside, time in self._times(pattern):
                key = keys[0] if name in ("kick", "snare", "closed hat") else rng.choice(keys)
                velocity = int(np.clip(loud + 10 * (inside % 4 == 0) + rng.normal(0, 8), 20, 127))
                notes.append(Note(time, 0.1, DRUMS, int(key), velocity))
        return notes


def _habits(drum: str, pattern: np.ndarray) -> set[str]:
    """Facts about what one drum plays in a bar."""
    found = set()
    if drum == "kick" and pattern[::4].all():
        found.add("kick on each beat")
    if drum == "snare" and pattern[[1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]].sum() > 2:
        found.add("snare off the beat")
    if drum == "closed hat" and pattern.sum() > 8:
        found.add("fast hat")
    return found


def clips(sound: np.ndarray) -> list[np.ndarray]:
    """Cut a played medley into its scenes.

    Parameters
    ----------
    sound
        float32, shape ``(samples,)`` at `SAMPLE_RATE`.

    Returns
    -------
    list of numpy.ndarray
        `SCENES` of them, each `SECONDS` long.
    """
    firsts = [round((number * APART_S + _LEAD_S) * SAMPLE_RATE) for number in range(SCENES)]
    return [sound[first : first + round(SECONDS * SAMPLE_RATE)] for first in firsts]


def recorded(clip: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, set[str]]:
    """Let chance mix and record a clip.

    Returns
    -------
    (numpy.ndarray, set of str)
        float32 in [-1, 1] as long as before, and what was done to it, words of `SOUNDS`.
    """
    done = {name for name in SOUNDS if name != "in a room" and rng.random() < 0.17}
    clip = clip / (_rms(clip) + 1e-9)
    clip = _equalised(clip, rng.normal(0, 3.5, 8))
    if "distorted" in done:
        drive = float(np.exp(rng.uniform(np.log(3), np.log(20))))
        clip = np.tanh(drive * clip / 2)
        clip = clip / (_rms(clip) + 1e-9)
    if "pumping" in done:
        beats, depth = rng.uniform(1.2, 3), rng.uniform(0.5, 0.9)
        phase = (np.arange(len(clip)) / SAMPLE_RATE * beats + rng.random()) % 1
        clip = clip * (1 - depth * np.exp(-4 * phase))
    for name, kind, low, high in (("dull", "lowpass", 1200, 4000), ("thin", "highpass", 250, 900)):
        if name in done:
            limit = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            sections = signal.butter(2, limit, kind, fs=SAMPLE_RATE, output="sos")
            clip = signal.sosfilt(sections, clip)
    if "noisy" in done:
        noise = np.cumsum(rng.normal(size=len(clip))) if rng.random() < 0.3 else None
        noise = rng.normal(size=len(clip)) if noise is None else signal.detrend(noise)
        clip = clip + noise / _rms(noise) * 10 ** (rng.uniform(-25, -8) / 20)
    if "crackling" in done:
        clicks = (rng.random(len(clip)) < rng.uniform(3, 30) / SAMPLE_RATE) * rng.normal(0, 4, 1)
        clip = clip + signal.lfilter([1], [1, -0.7], clicks * rng.normal(size=len(clip)))
    level = 10 ** (rng.uniform(-30, -10) / 20)
    clip = clip / (_rms(clip) + 1e-9) * level
    return np.clip(clip, -1, 1).astype(np.float32), done


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def _equalised(clip: np.ndarray, gains_db: np.ndarray) -> np.ndarray:
    """Raise and lower eight regions of frequency, an octave each from 60 Hz."""
    spectrum = np.fft.rfft(clip)
    hertz = np.fft.rfftfreq(len(clip), 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(hertz, 30) / 60)
    gains = np.interp(octaves, np.arange(8), gains_db)
    return np.fft.irfft(spectrum * 10 ** (gains / 20), len(clip))
