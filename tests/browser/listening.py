"""A microphone that is a file, and a page with a listener that hears it."""

from __future__ import annotations

import itertools

import numpy as np

# What the page did with microphones, and when it played a sound: by the clock of the microphone.
WATCH = """\
window.asked = []; window.streams = []; window.played = [];
const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  asked.push(wanted);
  const stream = await get(wanted);
  streams.push(stream);
  return stream;
};
const play = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function () {
  played.push(this.context.currentTime);
  play.call(this);
};"""


def options(path) -> tuple[str, ...]:
    """For Chromium: its microphone is this file, which begins again at its end."""
    return "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={path}"


def allow(page) -> None:
    """Let the page use the microphone, and note what it does with it."""
    page.context.grant_permissions(["microphone"])
    page.add_init_script(WATCH)


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def detections(page, least: int, wait_s: float = 30) -> list[float]:
    """The times in the list, oldest first, once there are so many."""
    items = page.locator(".course-mic li")
    items.nth(least - 1).wait_for(timeout=wait_s * 1000)
    return [float(text.split()[0]) for text in reversed(items.all_inner_texts())]


def in_step(times_s: list[float], distances_s: tuple[float, ...], tolerance_s: float) -> bool:
    """Whether detections are as far from each other as the words, wherever the file began."""
    found = np.diff(times_s)
    turns = [distances_s[n:] + distances_s[:n] for n in range(len(distances_s))]
    return any(
        np.allclose(
            found, list(itertools.islice(itertools.cycle(turn), len(found))), 0, tolerance_s
        )
        for turn in turns
    )


def upload(page, label: str, *files: tuple[str, bytes]) -> None:
    """What a learner does with a button and the system's own window: names and contents."""
    with page.expect_file_chooser() as choice:
        button(page, label).click()
    choice.value.set_files(
        [{"name": name, "mimeType": "audio/wav", "buffer": content} for name, content in files]
    )
