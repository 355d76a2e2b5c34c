"""Decoding the clips of a set: what fits, what is padded or cut, and every unfit file."""

import math
import os
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_sounds import examples_of, steps_of_noise, write, write_set

from course_utils import audio
from course_utils.datasets.speech_commands import (
    SpeechCommands,
    read_backgrounds,
    read_clips,
    select,
)
from course_utils.datasets.speech_commands.examples import prepare

RATE = 8000


def clip(folder, name="yes/anna_nohash_0.wav", length=RATE, rate=RATE, **options):
    return write(folder / name, steps_of_noise(len(name), length), rate, **options)


def damaged(folder, content: bytes, name="yes/bad.wav"):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def refused(paths, *words, **options) -> str:
    """Read clips that must be refused and hold the message to the rules for messages."""
    with pytest.raises(audio.AudioError) as caught:
        read_clips(paths, progress=False, **options)
    return held(caught.value, *words)


def held(error, *words) -> str:
    message = str(error)
    assert message.endswith(".") and "\n" not in message and "; expected " in message
    assert all(word in message for word in words), message
    return message


# ---------------------------------------------------------------- what fits


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_set_of_any_one_rate(tmp_path, rate):
    paths = [clip(tmp_path, f"yes/{i}.wav", rate, rate) for i in range(3)]
    found = read_clips(paths, progress=False)
    assert found.sample_rate == rate and found.steps.dtype == np.int16
    assert (found.padded, found.cut) == (0, 0)
    expected = [(audio.load(path)[0] * 32768).astype(int) for path in paths]
    np.testing.assert_array_equal(found.steps, expected)


def test_short_and_long_recordings_are_counted(tmp_path):
    lengths = [RATE, RATE - 1, 1, RATE + 1, 3 * RATE]
    paths = [clip(tmp_path, f"{n}/{n}.wav", n) for n in lengths]
    found = read_clips(paths, progress=False)
    assert (found.padded, found.cut) == (2, 2) and found.steps.shape == (5, RATE)
    for row, path in zip(found.steps, paths, strict=True):
        own = audio.load_pcm16(path)[0][:RATE]
        np.testing.assert_array_equal(row, np.pad(own, (0, RATE - len(own))))


def test_silence_is_a_row_of_zeros(tmp_path):
    path = clip(tmp_path)
    found = read_clips([None, path, None], progress=False)
    assert found.steps.any(1).tolist() == [False, True, False]
    assert (found.padded, found.cut) == (0, 0)


def test_length_and_rate_may_be_given(tmp_path):
    path = clip(tmp_path)
    assert read_clips([path], RATE, 250, progress=False).steps.shape == (1, RATE // 4)
    assert read_clips([str(path)], clip_duration_ms=1500, progress=False).padded == 1


def test_a_bar_is_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    read_clips([clip(tmp_path)])
    assert "decoding" in capsys.readouterr().err


# ---------------------------------------------------------------- what is refused


def test_another_rate_is_never_cut_silently(tmp_path):
    """TensorFlow's example would take 0.36 s of the 44.1 kHz file and say nothing."""
    usual = [clip(tmp_path, f"yes/{i}.wav") for i in range(3)]
    odd = clip(tmp_path, "yes/odd.wav", 44100, 44100)
    expected = ("yes/odd.wav", "44100 Hz", "8000 Hz", "convert it")
    for paths in ([*usual, odd], [odd, *usual]):
        message = refused(paths, *expected)
        assert "more file" not in message
    refused([odd], "44100 Hz", "16000 Hz", sample_rate=16000)
    refused(usual, "8000 Hz", "16000 Hz", "2 more files are unfit", sample_rate=16000)


@pytest.mark.parametrize(
    ("subtype", "shown"),
    [("PCM_U8", "PCM_U8"), ("PCM_24", "PCM_24"), ("PCM_32", "PCM_32"), ("FLOAT", "FLOAT")],
)
def test_only_16_bits(tmp_path, subtype, shown):
    path = clip(tmp_path, subtype=subtype)
    refused([path], path.name, f"is WAV {shown}", "expected 16-bit WAV", "convert it")


def test_only_wav(tmp_path):
    path = tmp_path / "yes" / "flac.wav"
    path.parent.mkdir()
    with open(path, "wb") as file:
        soundfile.write(file, steps_of_noise(0, RATE), RATE, format="FLAC", subtype="PCM_16")
    refused([path], "is FLAC PCM_16", "expected 16-bit WAV")
    text = damaged(tmp_path, b"this is a text, not a sound")
    message = refused([text], "yes/bad.wav", "is not audio", "b'this'", "expected 16-bit WAV")
    assert "MP3" not in message


def test_only_one_channel(tmp_path):
    stereo = steps_of_noise(0, 2 * RATE).reshape(-1, 2)
    path = write(tmp_path / "yes" / "two.wav", stereo, RATE)
    refused([path], "yes/two.wav", "has 2 channels", "keep the first (left), or average them")


def test_truncated_and_empty_files(tmp_path):
    whole = clip(tmp_path).read_bytes()
    refused([damaged(tmp_path, whole[:-100])], "bad.wav", "is truncated", "15900 of 16000 bytes")
    refused([damaged(tmp_path, whole[:30])], "bad.wav", "is truncated", "no data chunk")
    refused([damaged(tmp_path, b"")], "bad.wav", "is empty (0 bytes)", "record it again")
    refused([tmp_path / "yes" / "gone.wav"], "gone.wav", "does not exist", "check name")
    refused([tmp_path / "yes"], "is a folder", "check name")


def test_a_file_without_samples(tmp_path):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    content = b"RIFF" + struct.pack("<I", 36) + b"WAVE" + form + b"data" + bytes(4)
    refused([damaged(tmp_path, content)], "bad.wav", "holds no samples", "record it again")


def test_all_unfit_files_are_named_in_one_go(tmp_path):
    fit = [clip(tmp_path, f"yes/{i}.wav") for i in range(5)]
    unfit = [damaged(tmp_path, b"", f"no/{i}.wav") for i in range(1)]
    unfit += [clip(tmp_path, f"no/{i}.wav", subtype="FLOAT") for i in range(1, 8)]
    alone = refused(unfit[:1])
    message = refused([*fit[:2], *unfit, None, *fit[2:]], "no/0.wav")
    named = "no/1.wav, no/2.wav, no/3.wav, no/4.wav, no/5.wav, …"
    assert message == f"{alone} 7 more files are unfit, too: {named}."
    assert refused(unfit[:3]) == f"{alone} 2 more files are unfit, too: no/1.wav, no/2.wav."
    assert refused(unfit[:2]) == f"{alone} 1 more file is unfit, too: no/1.wav."


def test_a_line_break_in_a_name_does_not_break_the_sentence(tmp_path):
    refused([damaged(tmp_path, b"", "yes/a\nb.wav"), tmp_path / "yes" / "c\nd.wav"], "a?b", "c?d")


@pytest.mark.parametrize("paths", [[], [None], [None, None]])
def test_no_paths(paths):
    with pytest.raises(ValueError, match=r"no clip to read; expected at least one path; select"):
        read_clips(paths)


@pytest.mark.parametrize("duration", [0, -1, 0.1, math.nan, math.inf])
def test_clips_without_length(tmp_path, duration):
    path = clip(tmp_path)
    for call in (
        lambda: read_clips([path], clip_duration_ms=duration),
        lambda: read_backgrounds([path], RATE, duration),
    ):
        with pytest.raises(ValueError, match=r"^clip_duration_ms is .*; expected at least one"):
            call()


# ---------------------------------------------------------------- background noise


def test_backgrounds_are_read_whole(tmp_path):
    paths = [clip(tmp_path, f"noise/{n}.wav", n) for n in (RATE + 1, 3 * RATE)]
    found = read_backgrounds(paths, RATE)
    assert [(each.dtype, len(each)) for each in found] == [(np.int16, RATE + 1), (np.int16, 24000)]
    assert read_backgrounds([], RATE) == []


def test_unfit_backgrounds(tmp_path):
    short, equal = (clip(tmp_path, f"noise/{n}.wav", n) for n in (RATE // 2, RATE))
    for path, shown in ((short, "500 ms"), (equal, "1000 ms")):
        with pytest.raises(ValueError) as caught:
            read_backgrounds([path], RATE)
        held(caught.value, path.name, shown, "clip of 1000 ms", "take a longer recording")
    other = clip(tmp_path, "noise/other.wav", 44100, 22050)
    with pytest.raises(audio.AudioError) as caught:
        read_backgrounds([short, other], RATE)
    held(caught.value, "noise/other.wav", "22050 Hz", "8000 Hz")


# ---------------------------------------------------------------- a part of a selection


def test_prepare(tmp_path):
    data = SpeechCommands(write_set(tmp_path, ["yes", "no"], ["anna", "ben", "carla", "dev"]))
    selection = select(data, ["yes"], silence_percentage=100)
    found = prepare(data, selection, "training", progress=False)
    assert found.n == 5 and found.labels == selection.labels  # two yes, one unknown, two silent
    np.testing.assert_array_equal(found.classes, selection.classes["training"])
    for row, path in enumerate(selection.paths["training"]):
        assert found.speakers[row] == ("" if path is None else path.name.split("_")[0])
        expected = np.zeros(RATE) if path is None else audio.load_pcm16(path)[0]
        np.testing.assert_array_equal(found.clips.steps[row], expected)
    np.testing.assert_array_equal(found.noise[0], audio.load_pcm16(data.backgrounds()[0])[0])
    with pytest.raises(ValueError, match=r"no part 'test'.*choose one of training, validation"):
        prepare(data, selection, "test")
    with pytest.raises(audio.AudioError, match="8000 Hz; expected 16000 Hz"):
        prepare(data, selection, "training", sample_rate=16000, progress=False)


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        ([2, 0, 2], [2, 0, 2]),
        (slice(1, 3), [1, 2]),
        (np.array([False, False, True]), [2]),
        ([], []),
    ],
)
def test_some_of_the_clips(rows, taken):
    steps = np.arange(12, dtype=np.int16).reshape(3, 4)
    whole = replace(examples_of(steps, [0, 2, 1]), speakers=("", "ben", "dev"))
    found = whole.take(np.array(rows, int) if isinstance(rows, list) else rows)
    assert found.n == len(taken) and found.speakers == tuple(whole.speakers[i] for i in taken)
    np.testing.assert_array_equal(found.clips.steps, steps[taken])
    np.testing.assert_array_equal(found.classes, whole.classes[taken])
    assert (found.labels, found.noise) == (whole.labels, whole.noise) and whole.n == 3


def test_thousands_of_clips_take_seconds(tmp_path):
    """The bound is loose, for a machine that is busy with other things."""
    path = clip(tmp_path, length=16000, rate=16000)
    start = time.perf_counter()
    assert read_clips([path] * 3800, progress=False).steps.shape == (3800, 16000)
    assert time.perf_counter() - start < 10


def test_none_of_this_loads_tensorflow():
    modules = "speech_commands.examples", "speech_commands.mixing"
    code = "import sys, course_utils.features, " + ", ".join(
        f"course_utils.datasets.{module}" for module in modules
    )
    code += "; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


ROOT = os.environ.get("COURSE_DATA_ROOT")


@pytest.mark.real
@pytest.mark.skipif(
    not ROOT or not (Path(ROOT) / "speech_commands").is_dir(),
    reason="COURSE_DATA_ROOT names no folder with speech_commands in it",
)
def test_real_recordings():
    data = SpeechCommands(Path(ROOT) / "speech_commands")
    selection = select(data)
    for part in selection.paths:
        found = prepare(data, selection, part, progress=False)
        assert found.clips.sample_rate == 16000 and found.clips.cut == 0
        assert found.clips.padded < found.n / 5  # some are a little short
        assert len(found.noise) == 6
        spoken = found.clips.steps[found.classes > 0]
        assert (np.abs(spoken.astype(int)).max(1) > 50).all()
