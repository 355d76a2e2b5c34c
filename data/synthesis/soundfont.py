"""Plays notes through the General MIDI sound font FluidR3_GM (Frank Wen, MIT licence).

Every call starts fluidsynth anew with all its settings given, so that notes sound the same whatever
was played before them and whatever the machine's own settings are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from synthesis.voices import SynthesisError

PACKAGES = ("fluidsynth", "fluid-soundfont-gm")
SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
DRUMS = 9  # the channel whose keys are drums in General MIDI
_TICKS_PER_S = 1000
_GAIN = 0.5
_BEND = 8192 / 2  # steps of the pitch wheel per semitone
_GAP_S, _TAIL_S = 0.2, 3.0  # between stems: for voices, and for rooms to fall silent


@dataclass(frozen=True)
class Note:
    """One note.

    Attributes
    ----------
    start_s, seconds : float
        When it begins, and for how long it is held; it may ring longer.
    channel : int
        0 to 15; 9 is the drums, where the key chooses the drum.
    key : float
        0 to 127, 60 is middle C; a fraction, as of a quarter tone, bends its whole channel.
    velocity : int
        How hard it is struck, 1 to 127.
    """

    start_s: float
    seconds: float
    channel: int
    key: float
    velocity: int

    def __post_init__(self) -> None:
        """Refuse what MIDI cannot say."""
        limits = {
            "start_s": (0, 3600), "seconds": (0, 3600), "channel": (0, 15), "key": (0, 127),
            "velocity": (1, 127),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise SynthesisError(
                    f"The note's {name} is {getattr(self, name)}: {low} to {high} was expected."
                )


def missing_packages(packages: tuple[str, ...] = PACKAGES) -> list[str]:
    """Return which of the Debian packages are to be installed before anything can be played."""
    there = {"fluid-soundfont-gm": SOUND_FONT.is_file()}  # the others bring a program of their name
    return [name for name in packages if not there.get(name, shutil.which(name))]


def require_packages(packages: tuple[str, ...] = PACKAGES) -> None:
    """Raise one sentence that says what to install.

    Raises
    ------
    SynthesisError
        If a program or the sound font is missing.
    """
    if missing := missing_packages(packages):
        raise SynthesisError(
            f"Missing Debian packages: {', '.join(missing)}; install them with "
            f"`sudo apt-get install {' '.join(missing)}`."
        )


def render(
    notes: Iterable[Note],
    programs: Mapping[int, int],
    seconds: float,
    sample_rate: int = 22050,
    *,
    room: float = 0.0,
) -> np.ndarray:
    """Play notes.

    Parameters
    ----------
    notes
        In any order; what lasts beyond the end is cut.
    programs
        Channel to General MIDI program, 0 to 127 (0 is the grand piano); channel 9: drum kit.
    seconds
        Length of the sound.
    sample_rate
        In Hz, 8000 to 96000.
    room
        Level of the reverberation, 0 (none) to 1.

    Returns
    -------
    numpy.ndarray
        float32 in [-1, 1], shape ``(samples,)``; made quieter only where it would clip.

    Raises
    ------
    SynthesisError
        If fluidsynth or the sound font is missing, a value is out of its range, or it fails.
    """
    return render_each([(notes, programs)], seconds, sample_rate, room=room)[0]


def render_each(
    stems: Sequence[tuple[Iterable[Note], Mapping[int, int]]],
    seconds: float,
    sample_rate: int = 22050,
    *,
    room: float = 0.0,
) -> list[np.ndarray]:
    """Play several groups of notes, each with its programs, to a sound of its own.

    As `render`, but fluidsynth plays one after the other in one go, for most of its time goes into
    opening the sound font.
    """
    require_packages()
    samples = round(seconds * sample_rate)
    if not (samples > 0 and 8000 <= sample_rate <= 96000 and 0 <= room <= 1):
        raise SynthesisError(
            f"{seconds} s at {sample_rate} Hz in a room of {room} cannot be played: a positive "
            "length, 8000 to 96000 Hz and a room of 0 to 1 were expected."
        )
    apart_s = seconds + (_TAIL_S if room else _GAP_S)
    with tempfile.TemporaryDirectory() as folder:
        score, raw = Path(folder) / "score.mid", Path(folder) / "sound.raw"
        _score(stems, seconds, apart_s, room).save(score)
        _play(score, raw, sample_rate, room)
        mono = np.fromfile(raw, "<f4").reshape(-1, 2).mean(axis=1)
    starts = [round(k * apart_s * sample_rate) for k in range(len(stems))]
    # What fluidsynth did not write, because nothing sounded any more, is silence.
    mono = np.pad(mono, (0, max(0, starts[-1] + samples - len(mono)) if starts else 0))
    sounds = [mono[start : start + samples] for start in starts]
    return [sound / max(1.0, float(np.abs(sound).max())) for sound in sounds]


def _score(
    stems: Sequence[tuple[Iterable[Note], Mapping[int, int]]],
    seconds: float,
    apart_s: float,
    room: float,
) -> mido.MidiFile:
    """Return the stems one after the other as a MIDI file with one tick per millisecond."""
    events: list[tuple[int, int, mido.Message]] = []  # tick, order within it, what happens
    length = round(seconds * _TICKS_PER_S)
    for k, (notes, programs) in enumerate(stems):
        begin = round(k * apart_s * _TICKS_PER_S)
        for channel in range(16):
            # All sound off, before the stem that follows begins.
            off = mido.Message("control_change", channel=channel, control=120)
            events.append((begin + length, 4, off))
        events += [(begin, 0, message) for message in _set_up(programs, room)]
        for note in notes:
            events += [(begin + tick, *rest) for tick, *rest in _events(note, length)]
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    return mido.MidiFile(ticks_per_beat=_TICKS_PER_S // 2, tracks=[track])


def _set_up(programs: Mapping[int, int], room: float) -> Iterator[mido.Message]:
    for channel, program in programs.items():
        if not (0 <= channel <= 15 and 0 <= program <= 127):
            raise SynthesisError(
                f"Program {program} on channel {channel}: 0 to 127 on 0 to 15 was expected."
            )
        yield mido.Message("program_change", channel=channel, program=program)
        yield mido.Message("control_change", channel=channel, control=91, value=round(127 * room))
        yield mido.Message("pitchwheel", channel=channel, pitch=0)


def _events(note: Note, end: int) -> list[tuple[int, int, mido.Message]]:
    """Return what a note does: at the same tick notes end, then channels bend, then notes begin."""
    start = round(note.start_s * _TICKS_PER_S)
    stop = min(end, max(start + 1, round((note.start_s + note.seconds) * _TICKS_PER_S)))
    if start >= stop:
        return []
    key = round(note.key)
    where = {"channel": note.channel, "note": key}
    events = [
        (stop, 1, mido.Message("note_off", **where)),
        (start, 3, mido.Message("note_on", velocity=note.velocity, **where)),
    ]
    if note.channel != DRUMS:
        pitch = round((note.key - key) * _BEND)
        events.append((start, 2, mido.Message("pitchwheel", channel=note.channel, pitch=pitch)))
    return events


def _play(score: Path, raw: Path, sample_rate: int, room: float) -> None:
    """Let fluidsynth write 32-bit stereo samples; no HOME, so that nobody's settings count."""
    settings = {
        "synth.gain": _GAIN, "synth.cpu-cores": 1, "synth.dynamic-sample-loading": 1,
        "synth.chorus.active": 0, "synth.reverb.active": int(room > 0), "synth.reverb.level": room,
        "synth.reverb.room-size": 0.6, "synth.reverb.damp": 0.3, "synth.reverb.width": 0.5,
    }  # fmt: skip
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    command = ["fluidsynth", "-niq", "-f", os.devnull, "-F", str(raw), "-T", "raw", "-O", "float"]
    command += ["-E", "little", "-r", str(sample_rate), *options, str(SOUND_FONT), str(score)]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=120)
    if done.returncode != 0 or not raw.is_file():
        reason = done.stderr.decode(errors="replace").strip()[-200:]
        raise SynthesisError(f"fluidsynth failed with exit status {done.returncode}: {reason}.")
