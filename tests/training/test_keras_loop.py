"""The loop, with networks of a few weights."""

import io
import signal
import sys
import threading
from itertools import pairwise

import keras
import numpy as np
import pytest
from small_loops import CROSS_ENTROPY, batches, looped, network, plan, values, without_clock

from course_utils.training.keras_loop import Loop


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Loop:
    """Ten steps without interruption."""
    loop = looped(tmp_path_factory.mktemp("whole"))
    loop.run(batches(0, 10), plan(10))
    return loop


def assert_goes_on_to(whole: Loop, folder) -> None:
    loop = looped(folder)
    loop.run(batches(loop.step, 10), plan(10))
    assert values(loop) == values(whole)
    assert without_clock(loop.history) == without_clock(whole.history)


def test_history_has_means_since_the_last_entry(whole, tmp_path):
    assert [entry["step"] for entry in whole.history] == [4, 8, 10]
    single = looped(tmp_path).run(batches(0, 10), plan(10, evaluate_every=1))
    for first, last, entry in zip((0, 4, 8), (4, 8, 10), whole.history, strict=True):
        for name in ("loss", "accuracy"):
            mean = np.mean([each[name] for each in single[first:last]])
            assert entry[name] == pytest.approx(mean, rel=1e-6)
    assert all(a["seconds"] < b["seconds"] for a, b in pairwise(single))


def test_everything_with_a_state_is_in_the_checkpoint(whole):
    with np.load(whole._file) as content:
        shapes = sorted(content[name].shape for name in content.files if name != "record")
    weights = [tuple(v.shape) for v in whole.model.trainable_variables]
    # AdamW's two slots for each weight; two running means; dropout's state; iterations and rate.
    expected = 3 * weights + 2 * [(6,)] + [(2,)] + 2 * [()]
    assert shapes == sorted(expected)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 9])
def test_a_run_that_broke_off_goes_on(whole, tmp_path, cut):
    class PowerCutError(Exception):
        pass

    def before(step: int) -> None:
        if step == cut:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        looped(tmp_path).run(batches(0, 10, before), plan(10))
    assert looped(tmp_path).step == cut // 3 * 3
    assert_goes_on_to(whole, tmp_path)


def test_a_finished_run_takes_no_step(whole):
    again = looped(whole._file.parent)
    content = whole._file.read_bytes()
    assert again.run(batches(again.step, 10), plan(10)) == whole.history
    assert values(again) == values(whole) and whole._file.read_bytes() == content


def test_another_run_is_refused(whole):
    with pytest.raises(ValueError, match="of another run, with batch_size 8, expected 9; train in"):
        Loop(whole._file.parent, network(), keras.optimizers.AdamW(), CROSS_ENTROPY,
             {"recipe": {"batch_size": 9}})  # fmt: skip
    with pytest.raises(ValueError, match="holds 23 arrays; expected 11,"):
        looped(whole._file.parent, optimizer=keras.optimizers.SGD())


@pytest.mark.parametrize("cut", [2, 3, 4, 9])
def test_an_interrupt_saves_and_goes_on(whole, tmp_path, cut):
    def before(step: int) -> None:
        if step == cut:
            signal.raise_signal(signal.SIGINT)

    loop = looped(tmp_path)
    with pytest.raises(
        KeyboardInterrupt, match=f"stopped after step {cut + 1} of 10, which is sav"
    ):
        loop.run(batches(0, 10, before), plan(10))
    assert loop.step == looped(tmp_path).step == cut + 1
    assert_goes_on_to(whole, tmp_path)


def test_an_interrupt_during_evaluation(whole, tmp_path):
    def evaluate() -> dict:
        signal.raise_signal(signal.SIGINT)
        return {}

    with pytest.raises(KeyboardInterrupt, match="stopped after step 4 of 10"):
        looped(tmp_path).run(batches(0, 10), plan(10), evaluate)
    assert_goes_on_to(whole, tmp_path)


def test_a_second_interrupt_does_not_wait(whole, tmp_path):
    def before(step: int) -> None:
        if step == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        looped(tmp_path).run(batches(0, 10, before), plan(10))
    assert looped(tmp_path).step == 3
    assert_goes_on_to(whole, tmp_path)


def test_in_another_thread(whole, tmp_path):
    loop = looped(tmp_path)
    thread = threading.Thread(target=lambda: loop.run(batches(0, 10), plan(10)))
    thread.start()
    thread.join()
    assert values(loop) == values(whole)


def test_the_bar_shows_examples_a_second_from_where_the_run_goes_on(tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    looped(tmp_path).run(batches(0, 3), plan(3))
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, terminal)
    seen = lambda entry: print("step", entry["step"])  # noqa: E731
    looped(tmp_path).run(batches(3, 300), plan(300, evaluate_every=100), report=seen)
    lines = terminal.getvalue().split("\r")
    places = [line.split("| ")[1].split("/")[0] for line in lines if "/2.40k [" in line]
    assert places[0] == "32.0"  # four batches of eight
    assert any(" examples/s]" in line and "? examples/s" not in line for line in lines)
    # What is printed meanwhile has a line of its own, and in the end the bar is gone.
    assert [line for line in lines if "step" in line] == [f"step {n}\n" for n in (100, 200, 300)]
    assert lines[-1].strip() == ""
