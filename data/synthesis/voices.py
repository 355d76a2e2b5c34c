"""Calls the speech synthesisers: text in, samples out.

Every call starts a fresh process with a bare environment, so that a word sounds the same whatever
was said before it, in whatever language the machine speaks, and in however many processes.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile as sf

# program -> Debian packages that bring it and the voices used here
PACKAGES: dict[str, tuple[str, ...]] = {
    "espeak-ng": ("espeak-ng", "espeak-ng-data"),
    "flite": ("flite",),
    "festival": ("festival", "festvox-kallpc16k", "festvox-kdlpc16k", "festvox-us-slt-hts"),
}

FESTIVAL_VOICE_FOLDERS = {
    "kal_diphone": "english/kal_diphone",
    "ked_diphone": "english/ked_diphone",
    "cmu_us_slt_arctic_hts": "us/cmu_us_slt_arctic_hts",
}


class SynthesisError(RuntimeError):
    """A synthesiser is missing, or could not say a word."""


def missing_packages() -> list[str]:
    """Return the Debian packages to install before anything can be synthesised.

    Returns
    -------
    list of str
        Empty when all is there.
    """
    missing = [
        p for program, packages in PACKAGES.items() if not shutil.which(program) for p in packages
    ]
    festival_voices = {
        "festvox-kallpc16k": "kal_diphone",
        "festvox-kdlpc16k": "ked_diphone",
        "festvox-us-slt-hts": "cmu_us_slt_arctic_hts",
    }
    for package, voice in festival_voices.items():
        folder = Path("/usr/share/festival/voices") / FESTIVAL_VOICE_FOLDERS[voice]
        if package not in missing and not folder.is_dir():
            missing.append(package)
    return missing


def require_packages() -> None:
    """Raise one sentence that says what to install.

    Raises
    ------
    SynthesisError
        If a synthesiser or one of its voices is missing.
    """
    missing = missing_packages()
    if missing:
        raise SynthesisError(
            f"Missing Debian packages: {', '.join(missing)}; install them with "
            f"`sudo apt-get install {' '.join(missing)}`."
        )


def package_versions(names: Iterable[str] = ()) -> dict[str, str]:
    """Return the installed version of each Debian package, by default of those in `PACKAGES`."""
    names = sorted(names or {p for packages in PACKAGES.values() for p in packages})
    command = ["dpkg-query", "-W", "-f", "${Package}=${Version}\n", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def _run(command: list[str], what: str) -> bytes:
    """Run a synthesiser; no HOME, so that nobody's `~/.festivalrc` can change the sound."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()[-200:]
        raise SynthesisError(f"{what} failed with exit status {done.returncode}: {reason}.")
    return done.stdout


@functools.cache
def _known(program: str) -> frozenset[str]:
    """Return the accents, variants or voices of a program, which would replace others silently."""
    if program == "flite":
        return frozenset(_run(["flite", "-lv"], "flite").decode().split(":")[1].split())
    listed = _run(["espeak-ng", "--voices=en"], "espeak-ng").decode().splitlines()[1:]
    folder = _run(["espeak-ng", "--version"], "espeak-ng").decode().split("Data at:")[1].strip()
    variants = {path.name for path in (Path(folder) / "voices" / "!v").iterdir()}
    return frozenset(variants | {line.split()[1] for line in listed})


def _require(program: str, *names: str) -> None:
    for name in names:
        if name not in _known(program):
            raise SynthesisError(
                f"{program} has no voice {name!r}; see `apt-cache policy {program}`."
            )


def _check(samples: np.ndarray, sample_rate: int, what: str) -> np.ndarray:
    if samples.size < 0.08 * sample_rate or np.abs(samples).max() < 0.01:
        raise SynthesisError(f"{what} gave {samples.size} samples and no audible sound.")
    return samples


def espeak(
    text: str, voice: str, *, rate: float, pitch: float, pitch_range: float
) -> tuple[np.ndarray, int]:
    """Say a text with espeak-ng.

    Parameters
    ----------
    text
        Words, or SSML.
    voice
        Accent and variant, such as ``en-gb-scotland+f2``.
    rate
        Words per minute (175 is usual).
    pitch, pitch_range
        0 to 99 (50 is usual).

    Returns
    -------
    samples : numpy.ndarray
        float64 in [-1, 1], shape ``(samples,)``.
    sample_rate : int
        In Hz.
    """
    _require("espeak-ng", *voice.split("+"))
    what = f"espeak-ng, voice {voice}, saying {text!r}"
    # Half the usual amplitude: some variants overload the synthesiser's own output.
    numbers = {"-s": rate, "-p": pitch, "-a": 50}
    options = [part for key, value in numbers.items() for part in (key, str(round(value)))]
    text = f'<prosody range="{round(2 * pitch_range)}%">{text}</prosody>'
    out = _run(["espeak-ng", "-m", "-v", voice, *options, "--stdout", text], what)
    # A header written to a pipe has no true length, so the 44 bytes are read here.
    sample_rate = int.from_bytes(out[24:28], "little") or 22050
    samples = np.frombuffer(out[44 : len(out) - len(out) % 2], dtype="<i2") / 32768
    return _check(samples, sample_rate, what), sample_rate


def _read_back(path: Path, what: str) -> tuple[np.ndarray, int]:
    if not path.exists():
        raise SynthesisError(f"{what} wrote no sound file.")
    samples, sample_rate = sf.read(path, dtype="float64")
    return _check(samples, sample_rate, what), sample_rate


def flite(
    text: str, voice: str, *, stretch: float, pitch: float, pitch_range: float
) -> tuple[np.ndarray, int]:
    """Say a text with flite.

    Parameters
    ----------
    text
        Words.
    voice
        One of ``flite -lv``.
    stretch
        Duration relative to the voice's own.
    pitch, pitch_range
        Mean and standard deviation of the fundamental in Hz.

    Returns
    -------
    samples, sample_rate
        As `espeak`.
    """
    _require("flite", voice)
    what = f"flite, voice {voice}, saying {text!r}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        numbers = {
            "duration_stretch": stretch,
            "int_f0_target_mean": pitch,
            "int_f0_target_stddev": pitch_range,
        }
        settings = [part for k, v in numbers.items() for part in ("--setf", f"{k}={v:.3f}")]
        _run(["flite", "-voice", voice, *settings, "-t", text, "-o", str(path)], what)
        return _read_back(path, what)


def festival(
    text: str, voice: str, *, stretch: float, pitch: float, pitch_range: float
) -> tuple[np.ndarray, int]:
    """Say a text with festival; same parameters and returns as `flite`.

    The HTS voice keeps its own durations and melody.
    """
    what = f"festival, voice {voice}, saying {text!r}"
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder) / "word.wav", Path(folder) / "word.scm"
        script.write_text(
            f"(voice_{voice})\n(Parameter.set 'Duration_Stretch {stretch:.3f})\n"
            "(set! int_lr_params (list "
            f"(list 'target_f0_mean {pitch:.2f}) (list 'target_f0_std {pitch_range:.2f}) "
            "(list 'model_f0_mean 170) (list 'model_f0_std 34)))\n"
            f'(set! utt (Utterance Text "{text}"))\n(utt.synth utt)\n'
            f'(utt.save.wave utt "{path}" \'riff)\n'
        )
        _run(["festival", "-b", str(script)], what)
        return _read_back(path, what)
