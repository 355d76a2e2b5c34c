"""Playing notes through the sound font: the same every time, in tune, in time."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
RATE = 22050
ORGAN = {0: 16}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    sys.path.insert(0, str(DATA))
    return importlib.import_module("synthesis.soundfont")


@pytest.fixture(scope="module")
def soundfont(module) -> ModuleType:
    """The module where it can play."""
    if missing := module.missing_packages():
        pytest.skip(f"Debian packages are missing: {', '.join(missing)}")
    return module


def level(sound: np.ndarray, begin_s: float, end_s: float) -> float:
    return float(np.abs(sound[round(begin_s * RATE) : round(end_s * RATE)]).max())


def test_notes_sound_when_they_should_and_the_same_every_time(soundfont):
    notes = [soundfont.Note(1.0, 0.5, 0, 60, 100), soundfont.Note(2.9, 5, 9, 38, 100)]
    first, again = (soundfont.render(notes, ORGAN, 3) for _ in range(2))
    assert first.dtype == np.float32 and first.shape == (3 * RATE,)
    np.testing.assert_array_equal(first, again)
    assert level(first, 0, 0.99) == 0 and level(first, 2.5, 2.89) < 1e-3
    assert level(first, 1.05, 1.5) > 0.01 and level(first, 2.9, 3) > 0.01


@pytest.mark.parametrize("key", [69, 57.5, 60.25])
def test_keys_are_in_tune_also_between_the_semitones(soundfont, key):
    # A recorder, because its fundamental is its strongest partial.
    sound = soundfont.render([soundfont.Note(0, 2, 0, key, 100)], {0: 74}, 2)[RATE // 4 :]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    found = spectrum.argmax() * RATE / (1 << 18)
    assert 12 * np.log2(found / 440) + 69 == pytest.approx(key, abs=0.12)


def test_a_bend_ends_with_its_note(soundfont):
    bent, plain = soundfont.Note(0, 0.5, 0, 60.5, 100), soundfont.Note(1, 0.5, 0, 60, 100)
    both, alone = (soundfont.render(notes, ORGAN, 2) for notes in ([bent, plain], [plain]))
    np.testing.assert_allclose(both[round(1.1 * RATE) :], alone[round(1.1 * RATE) :], atol=0.02)


def test_the_order_of_the_notes_does_not_matter_and_the_room_and_rate_do(soundfont):
    notes = [soundfont.Note(t / 4, 0.1, 0, 60 + t, 90) for t in range(4)]
    plain = soundfont.render(notes, ORGAN, 2)
    np.testing.assert_array_equal(plain, soundfont.render(notes[::-1], ORGAN, 2))
    assert level(soundfont.render(notes, ORGAN, 2, room=0.8), 1.3, 2) > 3 * level(plain, 1.3, 2)
    assert len(soundfont.render(notes, ORGAN, 2, 44100)) == 88200


def test_stems_played_in_one_go_do_not_hear_each_other(soundfont):
    loud = [soundfont.Note(0.5, 9, 0, key, 120) for key in (40.5, 52, 59)]
    drums = [soundfont.Note(k / 4, 0.1, 9, 38, 100) for k in range(8)]
    stems = [(loud, {0: 19}), (drums, {9: 0}), (drums, {9: 25}), ([], {}), (loud, {0: 0})]
    for room in (0.0, 0.7):
        together = soundfont.render_each(stems, 2, room=room)
        for sound, (notes, programs) in zip(together, stems, strict=True):
            alone = soundfont.render(notes, programs, 2, room=room)
            # Events fall on blocks of 64 samples, so that waves may be shifted: compare levels.
            blocks = [np.sqrt((x.reshape(20, -1) ** 2).mean(axis=1)) for x in (sound, alone)]
            np.testing.assert_allclose(*blocks, atol=0.2 * blocks[1].max() + 1e-4)
    assert soundfont.render_each([], 1) == []


def test_what_lies_beyond_the_end_is_cut_and_no_notes_are_silence(soundfont):
    late = soundfont.render([soundfont.Note(5, 1, 0, 60, 100)], ORGAN, 1.5)
    assert late.shape == (round(1.5 * RATE),) and not late.any()
    assert not soundfont.render([], ORGAN, 0.5).any()


def test_loud_music_is_made_quieter_and_not_clipped(soundfont):
    notes = [soundfont.Note(0, 1, 0, key, 127) for key in range(30, 90, 2)]
    sound = soundfont.render(notes, {0: 19}, 1)
    assert np.abs(sound).max() == pytest.approx(1.0) and (np.abs(sound) > 0.999).sum() < 3


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"programs": {0: 128}}, "Program 128 on channel 0"),
        ({"programs": {16: 0}}, "on channel 16"),
        ({"seconds": 0}, "0 s at 22050 Hz"),
        ({"room": 1.5}, "room of 1.5"),
        ({"sample_rate": 100}, "at 100 Hz"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(soundfont, values, said):
    with pytest.raises(soundfont.SynthesisError, match=said) as error:
        soundfont.render(**{"notes": [], "programs": ORGAN, "seconds": 1} | values)
    assert str(error.value).endswith("was expected.") or str(error.value).endswith("were expected.")


@pytest.mark.parametrize(
    "values", [(-1, 1, 0, 60, 90), (0, 1, 16, 60, 90), (0, 1, 0, 128, 90), (0, 1, 0, 60, 0)]
)
def test_notes_that_midi_does_not_know_are_refused(module, values):
    with pytest.raises(module.SynthesisError, match="was expected"):
        module.Note(*values)


def test_missing_packages_are_named(module, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert "fluidsynth" in module.missing_packages()
    with pytest.raises(module.SynthesisError, match=r"apt-get install.*fluidsynth.*lame"):
        module.require_packages((*module.PACKAGES, "lame"))


def test_a_failing_synthesiser_is_one_sentence(soundfont, monkeypatch):
    failed = subprocess.CompletedProcess([], 3, b"", b"no such file")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(soundfont.SynthesisError, match=r"exit status 3: no such file\.$"):
        soundfont.render([], ORGAN, 1)
