"""The system's microphone, as sounddevice would give it, and every way in which there is none."""

import sys

import numpy as np
import pytest
from fake_sounddevice import DEVICES, FakeSounddevice
from small_streams import Nothing, Samples

from course_utils import live


@pytest.fixture
def fake(monkeypatch):
    module = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_its_chunks_go_through_the_loop(fake):
    microphone = live.Microphone(chunk_ms=50)
    loop = live.Loop(stream := Samples(16000), Nothing(), capacity_s=60)
    live.listen(microphone, loop, seconds=2)
    numbers = np.repeat(np.arange(1, 41) / 1000, 800).astype(np.float32)
    np.testing.assert_array_equal(stream.heard, numbers)
    assert fake.opened == [
        {"device": None, "channels": 1, "dtype": "float32", "samplerate": 16000, "blocksize": 800}
    ]
    assert fake.open_now == 0 and microphone.overflows == 1 and microphone.live


def test_it_is_closed_where_the_loop_ends(fake):
    loop = live.Loop(stream := Samples(16000), Nothing())
    stream.push = None
    with pytest.raises(TypeError) as caught:
        live.listen(live.Microphone(), loop)
    assert fake.open_now == 0 and caught  # though the error still holds every frame


def test_a_device_can_be_chosen_and_has_its_own_rate(fake):
    microphone = live.Microphone(48000, device="built")
    assert microphone.name == "Built-in" and microphone.sample_rate == 48000
    next(iter(microphone))
    assert (fake.opened[0]["device"], fake.opened[0]["blocksize"]) == ("built", 4800)


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        (
            0,
            "no input device 0 .Not an input device: 'Loudspeaker'.; expected one of: 1 'Built-in'",
        ),
        (7, "no input device 7 .Error querying device 7.; expected one of: 1 .*, 2 'Headset'"),
        ("radio", "no input device 'radio' .No input device matching 'radio'.; expected one of"),
    ],
)
def test_a_device_that_is_not_there_is_a_sentence_with_those_that_are(fake, device, sentence):
    with pytest.raises(live.MicrophoneError, match=f"^This system has {sentence}") as caught:
        live.Microphone(device=device)
    assert str(caught.value).endswith("which listens in the browser, or a file.")


def test_no_microphone_at_all_is_a_sentence(monkeypatch):
    fake = FakeSounddevice(DEVICES[:1], default=-1)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    sentence = r"no default input device \(Error querying device -1\); expected one of: none is"
    with pytest.raises(live.MicrophoneError, match=sentence):
        live.Microphone()


def test_a_rate_that_the_device_refuses_is_a_sentence_with_the_one_it_has(fake):
    sentence = "'Headset' refuses one channel at 44100 Hz .Invalid sample rate.*sample_rate=16000"
    with pytest.raises(live.MicrophoneError, match=sentence):
        live.Microphone(44100)


def test_a_device_that_goes_away_is_a_sentence(fake):
    fake.fails_at = 3
    loop = live.Loop(stream := Samples(16000), Nothing())
    sentence = "'Headset' gives no sound .Device unavailable .*; expected it to be connected"
    with pytest.raises(live.MicrophoneError, match=sentence):
        live.listen(live.Microphone(), loop)
    assert stream.position == 3200 and fake.open_now == 0 and not loop.running


def test_a_device_that_is_taken_is_a_sentence(fake):
    def refuse(**_):
        raise fake.PortAudioError("Device busy")

    fake.InputStream = refuse
    with pytest.raises(live.MicrophoneError, match=r"gives no sound .Device busy"):
        next(iter(live.Microphone()))


def test_without_the_package_it_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(live.MicrophoneError, match=r"sounddevice is not installed.*pip install"):
        live.Microphone()


def test_without_portaudio_it_is_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(live.MicrophoneError, match=r"PortAudio library not found.*libportaudio2"):
        live.Microphone()


def test_here_it_is_there_or_a_sentence():
    """With the real package, whatever this machine has."""
    try:
        assert live.Microphone().name
    except live.MicrophoneError as error:
        assert str(error).endswith("a file.") or "sample_rate=" in str(error)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"sample_rate": 0}, "The microphone has a rate of 0 Hz"),
        ({"chunk_ms": -1}, "chunk_ms is -1; expected milliseconds above 0"),
    ],
)
def test_settings_of_a_microphone_that_make_no_sense_are_refused(fake, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        live.Microphone(**wrong)
