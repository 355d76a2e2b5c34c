"""From an artist to a finished track: compose, play each instrument alone, mix, master."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import fft, signal

from synthesis import soundfont
from synthesis.delivery import rms
from synthesis.music import artists, drums, effects, players
from synthesis.music.artists import OCTAVES_HZ, Amounts, Artist, Production
from synthesis.music.theory import Song
from synthesis.soundfont import Note

Rng = np.random.Generator
_DROPPED, _LATE = 0.06, 0.15  # chances that a player is silent, or silent for a while


def track(who: Artist, seconds: float, sample_rate: int, channels: int, rng: Rng) -> np.ndarray:
    """Make a track of an artist.

    Parameters
    ----------
    who
        The artist.
    seconds, sample_rate, channels
        Form of the sound; one channel, or two.
    rng
        Decides what this track has of its own.

    Returns
    -------
    numpy.ndarray
        float32 in [-1, 1], shape ``(samples, channels)``.

    Raises
    ------
    SynthesisError
        If the sound font cannot be played.
    """
    bar_s = who.style.steps * 15 / who.tempo
    before = rng.uniform(0, 2 * bar_s)  # a clip begins anywhere in a track
    song = artists.song(who, seconds + before, rng)
    mix = np.zeros((channels, round(song.seconds * sample_rate)))
    for sound, level_db, pan in _stems(who, song, sample_rate, rng):
        gain = 10 ** ((level_db + rng.normal(0, 0.7)) / 20) / _loudness(sound, sample_rate)
        sides = (1 - pan, 1 + pan) if channels == 2 else (1.0,)
        for side, row in zip(sides, mix, strict=True):
            row += side * gain * sound
    seed = int(rng.integers(2**31))
    rows = [_mastered(row, who, song, sample_rate, np.random.default_rng(seed)) for row in mix]
    begin = len(mix[0]) - round(seconds * sample_rate)
    return _levelled(np.stack(rows, axis=1)[begin:], who.production, rng)


def _stems(
    who: Artist, song: Song, sample_rate: int, rng: Rng
) -> Iterator[tuple[np.ndarray, float, float]]:
    """Play every instrument of a song; give its sound, level in dB, and pan."""
    silent = rng.random(len(who.players)) < _DROPPED
    silent[rng.integers(len(silent))] = False
    scores = [players.ROLES[p.part.role](song, p.part, rng) for p in who.players]
    there = [
        (_arranged(notes, song, rng), player.part.program, player.level_db, player.pan,
         player.effects)
        for notes, player, left_out in zip(scores, who.players, silent, strict=True)
        if notes and not left_out
    ]  # fmt: skip
    if who.pattern:
        notes = _arranged(drums.play(song, who.pattern, who.busy, rng), song, rng)
        there.append((notes, who.kit, *who.drum_player, ()))
    stems = [(notes, {notes[0].channel: program}) for notes, program, *_ in there]
    sounds = soundfont.render_each(stems, song.seconds, sample_rate)
    for sound, (_, _, level_db, pan, amounts) in zip(sounds, there, strict=True):
        yield _through(sound.astype(np.float64), amounts, song, sample_rate, rng), level_db, pan


def _arranged(notes: list[Note], song: Song, rng: Rng) -> list[Note]:
    """Let a player begin or end within the track, at a bar; all notes if none would be left."""
    bar_s = song.steps * song.step_s
    turn = bar_s * rng.integers(1, max(2, int(song.seconds / bar_s)))
    chance, early = rng.random(), rng.random() < 0.5
    kept = [note for note in notes if (note.start_s < turn - 0.05) == early]
    return kept if kept and chance < _LATE else notes


def _through(sound: np.ndarray, amounts: Amounts, song: Song, rate: int, rng: Rng) -> np.ndarray:
    for name, amount in amounts:
        sound = effects.EFFECTS[name](sound, rate, amount, song, rng)
    return sound


def _loudness(sound: np.ndarray, sample_rate: int) -> float:
    """Return the RMS of the louder half of a sound: rests do not make an instrument quiet."""
    block = sample_rate // 10
    power = (sound[: len(sound) // block * block].reshape(-1, block) ** 2).mean(axis=1)
    return float(np.sqrt(np.sort(power)[len(power) // 2 :].mean())) + 1e-6


def _mastered(sound: np.ndarray, who: Artist, song: Song, rate: int, rng: Rng) -> np.ndarray:
    """Give one channel of a mix the artist's sound."""
    production = who.production
    sound = _through(sound, who.effects, song, rate, rng)
    sound = _in_room(sound, production, rate)
    sound = _equalised(sound, production, rate)
    sound = _compressed(sound, production.compression, rate)
    sound = effects.lowpass(sound, rate, production.lowpass_hz, song, rng)
    hiss = effects.coloured(len(sound), rate, production.noise_colour, rng)
    return sound + hiss * rms(sound) * 10 ** (-production.noise_db / 20)


def _in_room(sound: np.ndarray, production: Production, rate: int) -> np.ndarray:
    """Reverberate: a tail of decaying noise (Polack's model, 1988), the same for all tracks."""
    own = np.random.default_rng(production.room_seed)
    decay_s = 0.25 + 2.0 * production.room * own.uniform(0.6, 1.2)
    time = np.arange(int(decay_s * rate)) / rate
    tail = own.standard_normal(len(time)) * np.exp(-6.9 * time / decay_s)
    dark = signal.butter(1, own.uniform(1500, 6000), fs=rate, output="sos")
    tail = signal.sosfilt(dark, tail)
    tail[: int(0.006 * rate)] = 0
    tail *= 0.6 * production.room / np.sqrt((tail**2).sum())
    return sound + signal.fftconvolve(sound, tail)[: len(sound)]


def _equalised(sound: np.ndarray, production: Production, rate: int) -> np.ndarray:
    length = fft.next_fast_len(len(sound) + rate, real=True)
    spectrum = fft.rfft(sound, length)
    frequency = np.maximum(fft.rfftfreq(length, 1 / rate), 40)
    gains = np.interp(np.log2(frequency), np.log2(OCTAVES_HZ), production.equaliser_db)
    return fft.irfft(spectrum * 10 ** (gains / 20), length)[: len(sound)]


def _compressed(sound: np.ndarray, amount: float, rate: int) -> np.ndarray:
    """Make loud moments quieter, with a memory of a tenth of a second."""
    keep = np.exp(-1 / (0.1 * rate))
    power = signal.lfilter([1 - keep], [1, -keep], sound**2)
    level = np.sqrt(np.maximum(power, 0)) + 0.1 * rms(sound) + 1e-9
    return sound * level**-amount * rms(sound) ** amount


def _levelled(sound: np.ndarray, production: Production, rng: Rng) -> np.ndarray:
    """Set the loudness; bend what would clip."""
    target = 10 ** ((production.loudness_db + rng.normal(0, 1)) / 20)
    sound = sound * target / (rms(sound) + 1e-9)
    size = np.abs(sound)
    bent = 0.7 + 0.28 * np.tanh((size - 0.7) / 0.28)
    return (np.sign(sound) * np.where(size > 0.7, bent, size)).astype(np.float32)
