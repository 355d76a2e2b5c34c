"""Recordings on disk, a notebook that trains on them, and the stop button."""

import nbformat
import numpy as np
import pytest
import soundfile
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FIRST = """
import signal
from dataclasses import replace
from pathlib import Path

from course_utils.datasets import speech_commands as sc
from course_utils.datasets.speech_commands import examples
from course_utils.training import speech_commands as training

data = sc.SpeechCommands(Path({recordings!r}))
selection = sc.select(data, ["low", "high"])
clips = {{part: examples.prepare(data, selection, part) for part in sc.PARTS}}
recipe = replace(training.RECIPES["tc_resnet"], steps=(20, 10), batch_size=16, evaluate_every=10,
                 front_end={{"kind": "log_mel", "high_hz": 3800, "floor": 1e-3}})
"""
STOPPED = """
def stop(entry):
    signal.raise_signal(signal.SIGINT)  # as Jupyter does when its stop button is pressed

training.train(Path({folder!r}), recipe, clips["training"], clips["validation"], report=stop)
"""
AGAIN = """
run = training.train(Path({folder!r}), recipe, clips["training"], clips["validation"])
assert [entry["step"] for entry in run.history] == [10, 20, 30]
scores = run.recogniser.scores(clips["testing"])
assert scores.shape == (clips["testing"].n, 4)
"""


@pytest.fixture
def recordings(tmp_path):
    """Ten voices, three words, half a second each at 8 kHz."""
    rng = np.random.default_rng(0)
    for word, hertz in (("low", 500), ("high", 1600), ("hum", 900)):
        (tmp_path / "clips" / word).mkdir(parents=True)
        for voice in range(30):
            wave = 0.2 * np.sin(2 * np.pi * hertz * rng.uniform(0.9, 1.1) * np.arange(4000) / 8000)
            file = tmp_path / "clips" / word / f"{voice:08x}_nohash_0.wav"
            soundfile.write(file, wave + rng.normal(0, 0.01, 4000), 8000, "PCM_16")
    (tmp_path / "clips" / "_background_noise_").mkdir()
    noise = tmp_path / "clips" / "_background_noise_" / "hiss.wav"
    soundfile.write(noise, rng.normal(0, 0.05, 24000), 8000, "PCM_16")
    return tmp_path / "clips"


def test_the_stop_button_and_the_same_cell_again(recordings, tmp_path):
    named = {"recordings": str(recordings), "folder": str(tmp_path / "run")}
    cells = [nbformat.v4.new_code_cell(code.format(**named)) for code in (FIRST, STOPPED, AGAIN)]
    cells[1].metadata.tags = ["raises-exception"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    # TensorFlow may greet on stderr. An emptied bar is {}.
    first, stopped, again = (
        [o for o in cell.outputs if o.get("data") != {} and o.get("name") != "stderr"]
        for cell in cells
    )
    assert first == []
    assert [output.output_type for output in stopped] == ["error"]
    assert stopped[0].ename == "KeyboardInterrupt"
    assert stopped[0].evalue == (
        "stopped after step 10 of 30, which is saved; run the same again to go on"
    )
    # What is printed comes in pieces where a bar moved in between.
    assert {output.output_type for output in again} == {"stream"}
    lines = "".join(output.text for output in again).splitlines()
    assert [line.split(",")[0] for line in lines] == ["step    20", "step    30"]
