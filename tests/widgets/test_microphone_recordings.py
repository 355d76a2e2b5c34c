"""A learner's own recordings: numbered, whole, over no other, with a sentence where one is due."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
import soundfile

from course_utils import audio
from course_utils.datasets import trigger_word
from course_utils.widgets import recordings
from course_utils.widgets.recordings import Recordings, opened

RATE = 16000


def tone(seconds: float = 0.5, peak: float = 0.5) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (peak * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


@pytest.fixture
def kept(tmp_path):
    return Recordings(tmp_path / "raw_data")


def test_clips_are_what_the_scenes_read(kept):
    for kind, seconds in (("activates", 0.7), ("activates", 0.31), ("backgrounds", 3.0)):
        kept.add(kind, tone(seconds), RATE)
    sounds = trigger_word.from_folder(kept.folder)
    assert [len(clip.samples) / RATE for clip in sounds.triggers] == pytest.approx(
        [0.7, 0.31], abs=0.01
    )
    assert len(sounds.backgrounds[0]) == 3 * RATE
    assert kept.counts == {"activates": 2, "negatives": 0, "backgrounds": 1}


def test_a_clip_comes_back_as_it_was(kept):
    saved = kept.add("negatives", tone(0.25), RATE)
    samples, rate = audio.load(saved.path)
    assert rate == RATE and samples == pytest.approx(tone(0.25), abs=1 / 65536)
    assert saved.path == kept.folder / "negatives" / "1.wav"
    assert (saved.seconds, saved.warning) == (0.25, "")
    assert saved.peak_db == pytest.approx(20 * np.log10(0.5), abs=0.01)


def test_no_file_is_ever_overwritten(kept):
    folder = kept.folder / "activates"
    folder.mkdir(parents=True)
    there = {"1.wav": b"one", "7.FLAC": b"seven", "word.wav": b"word", "03.wav": b"three"}
    for name, content in there.items():
        (folder / name).write_bytes(content)
    assert [kept.add("activates", tone(), RATE).path.name for _ in range(2)] == ["8.wav", "9.wav"]
    assert {name: (folder / name).read_bytes() for name in there} == there


def test_two_recorders_do_not_take_the_same_number(tmp_path):
    both = [Recordings(tmp_path), Recordings(tmp_path)]

    def record(mine: Recordings, seconds: float) -> None:
        for _ in range(15):
            mine.add("activates", tone(seconds), RATE)

    threads = [
        threading.Thread(target=record, args=(mine, seconds))
        for mine, seconds in zip(both, (0.2, 0.3), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    lengths = [len(audio.load(path)[0]) / RATE for path in tmp_path.glob("activates/*")]
    assert sorted(lengths) == [0.2] * 15 + [0.3] * 15


def test_undo_deletes_what_was_saved_here_newest_first(kept):
    (kept.folder / "activates").mkdir(parents=True)
    (kept.folder / "activates" / "1.wav").write_bytes(b"older")
    first, gone, last = (kept.add(kind, tone(), RATE).path for kind in trigger_word.FOLDERS)
    gone.unlink()
    assert [kept.undo(), kept.undo()] == [last, first]
    assert not last.exists() and not first.exists()
    with pytest.raises(ValueError, match=r"no clip left .* delete older ones in the file browser"):
        kept.undo()
    assert (kept.folder / "activates" / "1.wav").read_bytes() == b"older"


def test_the_number_of_a_deleted_clip_is_free_again(kept):
    kept.add("activates", tone(), RATE)
    kept.undo()
    assert kept.add("activates", tone(), RATE).path.name == "1.wav"


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (tone(0.099), "The clip lasts 0.099 s; expected at least 0.1 s; it was not saved"),
        (np.zeros(RATE, np.float32), "The clip holds only zeros; .* microphone is muted"),
        (np.zeros(0, np.float32), "The clip holds no samples"),
        (np.full(RATE, np.nan, np.float32), "The clip holds NaN"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(kept, samples, sentence):
    with pytest.raises(audio.AudioError, match=sentence):
        kept.add("activates", samples, RATE)
    assert not kept.folder.exists() and kept.counts["activates"] == 0


@pytest.mark.parametrize(
    ("peak", "sentence"),
    [
        (1.4, " samples are at full scale, so the clip is distorted; move away from the"),
        (0.004, "The clip is next to silent (peak −48 dBFS); see which"),
        (0.9, ""),
        (0.01, ""),
    ],
)
def test_a_clip_that_is_too_loud_or_too_soft_is_saved_with_a_warning(kept, peak, sentence):
    saved = kept.add("activates", tone(peak=peak).clip(-1, 1), RATE)
    assert saved.path.exists()
    assert sentence in saved.warning and bool(saved.warning) == bool(sentence)


def test_a_kind_that_is_none_is_refused(kept):
    with pytest.raises(ValueError, match="no kind 'words' of clip; choose one of activates, neg"):
        kept.add("words", tone(), RATE)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(audio.AudioError, match=r"folder .* cannot be made .* choose another"):
        Recordings(tmp_path / "file").add("activates", tone(), RATE)


def test_a_clip_that_cannot_be_written_leaves_nothing(kept, monkeypatch):
    def full(*_: object) -> None:
        raise audio.AudioError("No space left.")

    monkeypatch.setattr(recordings.audio, "save", full)
    with pytest.raises(audio.AudioError, match="No space"):
        kept.add("activates", tone(), RATE)
    assert list((kept.folder / "activates").iterdir()) == []
    with pytest.raises(ValueError, match="no clip left"):
        kept.undo()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3"])
def test_an_opened_file_is_a_sound(form):
    memory = io.BytesIO()
    soundfile.write(memory, tone(1.0), RATE, format=form)
    samples, rate = opened("my word", memory.getvalue(), 8000)
    assert rate == 8000 and len(samples) / rate == pytest.approx(1, abs=0.1)


def test_an_opened_file_that_is_no_sound_is_called_by_its_name():
    with pytest.raises(audio.AudioError, match=r"^my word\.wav .*expected"):
        opened("my word.wav", b"not a sound at all")
    with pytest.raises(audio.AudioError, match=r"^empty\.wav .*expected"):
        opened("empty.wav", b"")
