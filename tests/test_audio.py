"""The door for sound: every format, every promised error, and what comes out of it."""

import html
import io
import os
import struct
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils import audio

RATE = 16000
STEP = 1 / 32768


def tone(n: int = RATE, peak: float = 0.5) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, n)
    return (peak * np.sin(2 * np.pi * 440 * np.arange(n) / RATE) + noise).astype(np.float32)


def write(path, samples=None, rate=RATE, subtype=None, **settings):
    soundfile.write(path, tone() if samples is None else samples, rate, subtype=subtype, **settings)
    return path


def cut(path, size: int):
    path.write_bytes(path.read_bytes()[:size])
    return path


def refused(path, *words, **arguments) -> str:
    """Load a file that must be refused and hold the message to the rules for messages."""
    with pytest.raises(audio.AudioError) as caught:
        audio.load(path, **arguments)
    return held(caught.value, os.path.basename(path), *words)


def held(error: audio.AudioError, *words) -> str:
    message = str(error)
    assert message.endswith(".") and "\n" not in message and "; expected " in message
    assert all(word in message for word in words), message
    return message


def wav_bytes(data: bytes, riff: int, size: int, extra: bytes = b"") -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", riff, b"WAVE")
    return head + form + struct.pack("<4sI", b"data", size) + data + extra


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 1 / 128),
        ("wav", "PCM_16", STEP),
        ("wav", "PCM_24", 2**-23),
        ("wav", "PCM_32", 2**-23),
        ("wav", "FLOAT", 0),
        ("wav", "DOUBLE", 0),
        ("flac", "PCM_S8", 1 / 128),
        ("flac", "PCM_16", STEP),
        ("flac", "PCM_24", 2**-23),
        ("ogg", "VORBIS", 0.15),
        ("ogg", "OPUS", 0.15),
        ("mp3", "MPEG_LAYER_III", 0.15),
    ],
)
def test_formats(tmp_path, suffix, subtype, tolerance):
    path = write(tmp_path / f"a.{suffix}", subtype=subtype)
    samples, rate = audio.load(path)
    assert rate == RATE and samples.dtype == np.float32 and samples.shape == (RATE,)
    assert np.abs(samples - tone()).max() <= tolerance


def test_extensible_wav(tmp_path):
    path = write(tmp_path / "a.wav", subtype="PCM_24", format="WAVEX")
    assert np.abs(audio.load(path)[0] - tone()).max() <= 2**-23


def test_sixteen_bits_are_exact(tmp_path):
    steps = np.arange(-32768, 32768).astype(np.int16)
    for name in ("all.wav", "all.flac"):
        samples, _ = audio.load(write(tmp_path / name, steps))
        np.testing.assert_array_equal(samples, steps.astype(np.float32) / 32768)


def test_channels_become_their_mean(tmp_path):
    left, right = tone(), np.full(RATE, 0.25, np.float32)
    path = write(tmp_path / "stereo.wav", np.stack([left, right], 1), subtype="FLOAT")
    np.testing.assert_allclose(audio.load(path)[0], (left + right) / 2, atol=1e-7)
    opposite = write(tmp_path / "opposite.wav", np.stack([left, -left], 1), subtype="FLOAT")
    assert not audio.load(opposite)[0].any()


def test_mp3_is_the_same_however_it_is_read(tmp_path, monkeypatch):
    """Blocks must not cut the bits that MP3 frames lend each other (see audio.reading)."""
    noise = np.random.default_rng(1).uniform(-0.6, 0.6, 4 * RATE)
    path = write(tmp_path / "a.mp3", noise)
    whole, _ = audio.load(path)
    monkeypatch.setattr("course_utils.audio.reading._BLOCK_VALUES", 1000)
    np.testing.assert_allclose(audio.load(path)[0], whole, atol=1e-5)


def test_overshoot_is_clipped(tmp_path):
    square = np.where(tone() > 0, 1.0, -1.0)
    for name in ("a.ogg", "a.mp3"):
        assert np.abs(audio.load(write(tmp_path / name, square))[0]).max() == 1
    loud = write(tmp_path / "a.wav", np.float32([0.5, 1.5, -3]), subtype="FLOAT")
    np.testing.assert_array_equal(audio.load(loud)[0], np.float32([0.5, 1, -1]))
    assert np.abs(audio.resample(square, RATE, 44100)).max() == 1


def test_resampled_on_loading(tmp_path):
    path = write(tmp_path / "a.wav", tone(44100), 44100)
    samples, rate = audio.load(path, RATE)
    assert rate == RATE and samples.shape == (RATE,) and samples.dtype == np.float32
    assert audio.load(path, 44100, resample=False)[0].shape == (44100,)


@pytest.mark.parametrize(
    ("riff", "size"),
    [(0, 0), (36, 0), (0xFFFFFFFF, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF024, 0x7FFFF000)],
)
def test_wav_from_a_pipe(tmp_path, riff, size):
    steps = (tone() * 32768).astype("<i2")
    path = tmp_path / "piped.wav"
    path.write_bytes(wav_bytes(steps.tobytes(), riff, size))
    np.testing.assert_array_equal(audio.load(path)[0], steps / np.float32(32768))


def test_flac_from_a_pipe(tmp_path):
    content = bytearray(write(tmp_path / "a.flac").read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # the number of samples in STREAMINFO: unknown
    (tmp_path / "a.flac").write_bytes(content)
    assert audio.load(tmp_path / "a.flac")[0].shape == (RATE,)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac"])
def test_sound_behind_a_tag(tmp_path, name):
    content = write(tmp_path / name).read_bytes()
    tag = b"ID3\x03\x00\x00" + bytes([0, 0, 1, 0]) + bytes(128)
    (tmp_path / name).write_bytes(tag + content)
    assert audio.load(tmp_path / name)[0].shape == (RATE,)


def test_name_of_other_bytes(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    try:
        with open(path, "wb") as file:
            soundfile.write(file, tone(), RATE, format="WAV")
    except OSError:
        pytest.skip("this file system keeps names in UTF-8")
    assert audio.load(path)[0].shape == (RATE,)
    assert audio.load(os.fsdecode(path))[0].shape == (RATE,)


# ---------------------------------------------------------------- files that are refused


def test_missing_folder_and_other_things(tmp_path):
    refused(tmp_path / "nothing.wav", "does not exist")
    refused(tmp_path, "is a folder")
    refused(tmp_path / "two\nlines.wav".replace("\n", ""), "does not exist")
    for path in (None, 3, 2.5):
        with pytest.raises(audio.AudioError, match="is no path"):
            audio.load(path)
    with pytest.raises(audio.AudioError) as caught:
        audio.load(tmp_path / "two\nlines.wav")
    held(caught.value, "two?lines.wav")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_named_pipe_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "device")


def test_unreadable(tmp_path, monkeypatch):
    path = write(tmp_path / "secret.wav")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    refused(path, "cannot be read (Permission denied)")


def test_out_of_memory(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    path = write(tmp_path / "big.wav")
    monkeypatch.setattr("course_utils.audio.reading._mono", full)
    refused(path, "MemoryError", "fits into memory")


def test_empty(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    refused(tmp_path / "a.wav", "0 bytes")


@pytest.mark.parametrize("content", [b"\x00", b"hello, this is text", b"\x89PNG\r\n\x1a\n" * 9])
def test_not_audio(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    refused(tmp_path / "a.wav", "not audio", "WAV, FLAC, OGG or MP3")


@pytest.mark.parametrize("size", [13, 30, 45, 1000, 32043])
def test_truncated_wav(tmp_path, size):
    refused(cut(write(tmp_path / "a.wav"), size), "truncated")


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "opus.ogg", "a.mp3"])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.95])
def test_truncated_others(tmp_path, name, part):
    path = write(tmp_path / name, subtype="OPUS" if name == "opus.ogg" else None)
    refused(cut(path, int(part * path.stat().st_size)), "truncated")


def test_ogg_cut_between_pages(tmp_path):
    path = write(tmp_path / "a.ogg", tone(20 * RATE))
    refused(cut(path, path.read_bytes().rfind(b"OggS")), "end-of-stream page is missing")


@pytest.mark.parametrize("claimed", [RATE + 100, 2**36 - 1])
def test_flac_with_fewer_frames_than_promised(tmp_path, claimed):
    content = bytearray(write(tmp_path / "a.flac").read_bytes())
    content[21] |= claimed >> 32
    content[22:26] = struct.pack(">I", claimed & 0xFFFFFFFF)
    (tmp_path / "a.flac").write_bytes(content)
    refused(tmp_path / "a.flac", "truncated", f"{RATE} of {claimed} samples")


def without_xing(path, samples, **settings) -> None:
    content = write(path, samples, 44100, compression_level=0.5, **settings).read_bytes()
    path.write_bytes(content[content.find(content[:2], 4) :])


def test_mp3_without_a_length(tmp_path):
    """libsndfile would return a quarter of the variable one, without a word."""
    noise = np.random.default_rng(0).uniform(-0.6, 0.6, 10 * 44100)
    without_xing(tmp_path / "constant.mp3", noise, bitrate_mode="CONSTANT")
    assert abs(len(audio.load(tmp_path / "constant.mp3")[0]) - len(noise)) < 3000
    noise[5 * 44100 :] *= 1e-4
    without_xing(tmp_path / "variable.mp3", noise, bitrate_mode="VARIABLE")
    refused(tmp_path / "variable.mp3", "does not say how long it is")


def test_no_samples(tmp_path):
    refused(write(tmp_path / "a.wav", np.zeros(0, np.float32)), "no samples")


def test_empty_data_before_other_chunks_is_not_a_pipe(tmp_path):
    notes = struct.pack("<4sI", b"LIST", 8) + b"INFOabcd"
    (tmp_path / "a.wav").write_bytes(wav_bytes(b"", 36 + len(notes), 0, notes))
    refused(tmp_path / "a.wav", "no samples")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, bad):
    samples = tone()
    samples[77] = bad
    refused(write(tmp_path / "a.wav", samples, subtype="FLOAT"), "NaN or infinity")


def test_integers_stored_as_floats(tmp_path):
    refused(write(tmp_path / "a.wav", tone() * 32768, subtype="FLOAT"), "integers as floats")


def test_wrong_rate(tmp_path):
    path = write(tmp_path / "a.wav", rate=44100)
    refused(path, "44100 Hz", "expected 16000 Hz", sample_rate=RATE, resample=False)


@pytest.mark.parametrize("rate", [1, 999, 768001, 2**31 - 1])
def test_absurd_rate_of_a_file(tmp_path, rate):
    refused(write(tmp_path / "a.wav", rate=rate), f"{rate} Hz")


@pytest.mark.parametrize("rate", [0, -16000, 16000.0, "16000", True, 10**9])
def test_absurd_rate_asked_for(tmp_path, rate):
    path = write(tmp_path / "a.wav")
    with pytest.raises(audio.AudioError, match="whole number from 1000 to 768000"):
        audio.load(path, rate)
    with pytest.raises(audio.AudioError, match="whole number from 1000 to 768000"):
        audio.save(tmp_path / "b.wav", tone(), rate)
    assert not (tmp_path / "b.wav").exists()


def test_absurd_channels(tmp_path):
    refused(write(tmp_path / "a.wav", np.zeros((9, 33))), "33 channel(s)")


def test_other_encodings(tmp_path):
    refused(write(tmp_path / "a.wav", subtype="IMA_ADPCM"), "IMA_ADPCM", "convert it")
    refused(write(tmp_path / "a.aiff"), "not audio")


def test_too_long(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav")
    for module in ("audio", "audio.reading"):
        monkeypatch.setattr(f"course_utils.{module}.MAX_SAMPLES", 10000)
    refused(path, "too long")
    with pytest.raises(audio.AudioError, match="16000 samples"):
        audio.resample(tone(), RATE, 8000)


def test_a_megabyte_of_chunks_ends(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(2**20))
    refused(tmp_path / "a.wav", "no data chunk")


# ---------------------------------------------------------------- 16-bit mono WAV and nothing else


def refused_pcm16(path, *words) -> str:
    with pytest.raises(audio.AudioError) as caught:
        audio.load_pcm16(path)
    return held(caught.value, os.path.basename(path), *words)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_pcm16_is_read_as_it_is(tmp_path, rate, form):
    steps = np.arange(-32768, 32768).astype(np.int16)
    path = write(tmp_path / "a.wav", steps, rate, "PCM_16", format=form)
    found, found_rate = audio.load_pcm16(path)
    assert found.dtype == np.int16 and found_rate == rate
    np.testing.assert_array_equal(found, steps)
    np.testing.assert_array_equal(audio.load(path)[0], found / np.float32(32768))


@pytest.mark.parametrize(("riff", "size"), [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_pcm16_from_a_pipe(tmp_path, riff, size):
    steps = (tone() * 32768).astype("<i2")
    (tmp_path / "a.wav").write_bytes(wav_bytes(steps.tobytes(), riff, size))
    np.testing.assert_array_equal(audio.load_pcm16(tmp_path / "a.wav")[0], steps)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_pcm16_of_other_encodings(tmp_path, subtype):
    path = write(tmp_path / "a.wav", subtype=subtype)
    refused_pcm16(path, f"is WAV {subtype}; expected 16-bit WAV", "convert it, audio.load and")


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.mp3"])
def test_pcm16_of_other_formats(tmp_path, name):
    refused_pcm16(write(tmp_path / name), "; expected 16-bit WAV (WAV PCM_16): convert it")


@pytest.mark.parametrize("channels", [2, 3])
def test_pcm16_of_several_channels(tmp_path, channels):
    path = write(tmp_path / "a.wav", np.zeros((9, channels)))
    refused_pcm16(path, f"has {channels} channels; expected one", "first (left), or average them")


def test_pcm16_of_what_is_no_sound(tmp_path):
    path = tmp_path / "a.wav"
    refused_pcm16(path, "does not exist")
    refused_pcm16(tmp_path, "is a folder")
    path.write_bytes(b"")
    refused_pcm16(path, "0 bytes")
    path.write_bytes(b"hello, this is text")
    assert "MP3" not in refused_pcm16(path, "not audio", "16-bit WAV")
    refused_pcm16(write(path, np.zeros(0, np.float32)), "no samples", "record it again")
    with pytest.raises(audio.AudioError, match="is no path"):
        audio.load_pcm16(None)


@pytest.mark.parametrize("size", [13, 30, 45, 1000, 32043])
def test_pcm16_truncated(tmp_path, size):
    refused_pcm16(cut(write(tmp_path / "a.wav"), size), "truncated")


@pytest.mark.parametrize("rate", [999, 768001])
def test_pcm16_of_an_absurd_rate(tmp_path, rate):
    refused_pcm16(write(tmp_path / "a.wav", rate=rate), f"{rate} Hz")


def test_pcm16_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.audio.reading.MAX_SAMPLES", 10000)
    refused_pcm16(write(tmp_path / "a.wav"), "too long", "10000 samples: cut it")


# ---------------------------------------------------------------- arrays, saving, resampling

SOUNDS = arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32))


@settings(max_examples=200, deadline=None)
@given(SOUNDS, st.sampled_from([8000, 16000, 44100, 48000, 96000]))
def test_round_trip(tmp_path_factory, samples, rate):
    path = tmp_path_factory.getbasetemp() / "round.wav"
    audio.save(path, samples, rate)
    back, found = audio.load(path)
    assert found == rate and back.shape == samples.shape
    assert np.abs(back - samples).max() <= STEP
    audio.save(path, back, rate)
    np.testing.assert_array_equal(audio.load(path)[0], back)


@settings(max_examples=200, deadline=None)
@given(SOUNDS, st.integers(1000, 96000), st.integers(1000, 96000))
def test_resampled_length(samples, from_rate, to_rate):
    exact = len(samples) * to_rate / from_rate
    try:
        result = audio.resample(samples, from_rate, to_rate)
    except audio.AudioError as error:
        assert exact <= 0.5
        held(error, "choose another rate or length")
        return
    assert abs(len(result) - exact) <= 0.5
    assert result.dtype == np.float32 and np.abs(result).max() <= 1


def test_resampling_keeps_a_tone():
    time = np.arange(44100) / 44100
    result = audio.resample(0.5 * np.sin(2 * np.pi * 440 * time), 44100, RATE)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert np.abs(result - expected)[200:-200].max() < 1e-3  # the edges see a step
    same = tone()
    assert audio.resample(same, RATE, RATE) is same


def test_saving_rounds(tmp_path):
    audio.save(tmp_path / "a.wav", np.array([1, -1, 0.6 * STEP, -0.4 * STEP, 0]), RATE)
    steps, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert steps.tolist() == [32767, -32768, 1, 0, 0]
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"


UNFIT = {
    "too loud": np.array([0, 1.01]),
    "NaN": np.array([0, np.nan]),
    "infinite": np.array([-np.inf]),
    "stereo": np.zeros((9, 2)),
    "integers": np.zeros(9, np.int16),
    "none": np.zeros(0),
    "scalar": np.float32(0.5),
    "text": "sound",
    "ragged": [[0.0], [0.0, 1.0]],
}


@pytest.mark.parametrize("samples", UNFIT.values(), ids=UNFIT)
def test_unfit_sounds(tmp_path, samples):
    path = tmp_path / "kept.wav"
    audio.save(path, tone(), RATE)
    before = path.read_bytes()
    with pytest.raises(audio.AudioError) as caught:
        audio.save(path, samples, RATE)
    held(caught.value, "kept.wav")
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["kept.wav"]
    for call in (audio.play, audio.check):
        with pytest.raises(audio.AudioError) as caught:
            call(samples, RATE)
        held(caught.value, "The sound")


def test_saving_fails_without_a_trace(tmp_path, monkeypatch):
    (tmp_path / "folder.wav").mkdir()
    for path in (tmp_path / "folder.wav", tmp_path / "missing" / "a.wav"):
        with pytest.raises(audio.AudioError) as caught:
            audio.save(path, tone(), RATE)
        held(caught.value, path.name, "cannot be written")
    with pytest.raises(audio.AudioError, match=r"a\.flac.*ends in \.wav"):
        audio.save(tmp_path / "a.flac", tone(), RATE)
    assert os.listdir(tmp_path) == ["folder.wav"]

    def full(*_):
        raise OSError(28, "No space left on device")

    audio.save(tmp_path / "kept.wav", tone(), RATE)
    before = (tmp_path / "kept.wav").read_bytes()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(audio.AudioError, match="No space left"):
        audio.save(tmp_path / "kept.wav", -tone(), RATE)
    assert (tmp_path / "kept.wav").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["folder.wav", "kept.wav"]


def test_what_is_saved_is_a_wav_file(tmp_path):
    audio.save(tmp_path / "a.wav", tone(), RATE)
    with wave.open(str(tmp_path / "a.wav")) as reader:
        assert reader.getparams()[:4] == (1, 2, RATE, RATE)


def test_player():
    player = audio.play(tone(), RATE, 'a <b> & "c"')
    assert repr(player) == 'sound: a <b> & "c", 1.00 s at 16000 Hz'
    shown = player._repr_html_()
    assert shown == audio.play(tone(), RATE, 'a <b> & "c"')._repr_html_()
    caption = html.escape('a <b> & "c"')
    assert shown.startswith(f"<figure><figcaption>{caption}</figcaption><audio controls")
    assert f'aria-label="sound: {caption}, 1.00 s' in shown and "data:audio/flac;base64," in shown
    assert repr(audio.play(tone(8000), RATE)) == "sound: 0.50 s at 16000 Hz"
    assert "figcaption" not in audio.play(tone(), RATE)._repr_html_()


def test_player_is_shown_by_jupyter():
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(audio.play(tone(), RATE, "tone"))
    assert shown["text/plain"] == "sound: tone, 1.00 s at 16000 Hz"
    assert shown["text/html"].startswith("<figure>")


def test_player_is_not_normalised():
    played, rate = soundfile.read(io.BytesIO(audio.play(tone() / 2, RATE).flac))
    assert rate == RATE
    np.testing.assert_allclose(played, tone() / 2, atol=1 / 32768)
