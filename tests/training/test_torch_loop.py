"""The PyTorch loop, with a network of a few weights."""

import io
import signal
import sys
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_torch import (
    batch_of,
    looped,
    loss,
    network,
    one_thread,  # noqa: F401
    plan,
    values,
    without_clock,
)
from torch import nn

from course_utils.training.torch_loop import Loop, Plan

SCHEDULES = {
    "one cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=10),
    "stages": lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [3, 6]),
    "function": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 1 / (1 + step)),
    "warm-up": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o,
        [
            torch.optim.lr_scheduler.LinearLR(o, 0.1, total_iters=4),
            torch.optim.lr_scheduler.CosineAnnealingLR(o, 6),
        ],
        [4],
    ),
}
OPTIMIZERS = {
    "momentum": lambda w: torch.optim.SGD(w, 0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda w: torch.optim.Adagrad(w, 0.1),
    "rmsprop": lambda w: torch.optim.RMSprop(w, 0.01),
}


def trained(folder, steps=10, run=None, **options) -> Loop:
    loop = looped(folder, **options)
    loop.run(batch_of, plan(steps), **(run or {}))
    return loop


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Loop:
    """Ten steps without interruption."""
    torch.set_num_threads(1)
    return trained(tmp_path_factory.mktemp("whole"))


def assert_goes_on_to(whole: Loop, folder) -> None:
    loop = trained(folder)
    assert values(loop) == values(whole)
    assert without_clock(loop.history) == without_clock(whole.history)


def interrupting(*steps: int, times: int = 1):
    def batch(step: int):
        for _ in range(times if step in steps else 0):
            signal.raise_signal(signal.SIGINT)
        return batch_of(step)

    return batch


def test_it_learns(tmp_path):
    def told(step: int):
        table, _ = batch_of(step)
        return table, (table[:, -1, 0] > 0).long()

    history = looped(tmp_path).run(told, plan(90, evaluate_every=15, save_every=90))
    assert history[-1]["accuracy"] > 0.8 > history[0]["accuracy"]
    assert history[-1]["loss"] < history[0]["loss"] / 1.5


@pytest.mark.parametrize("clip_norm", [None, 0.1])
def test_it_does_what_a_plain_loop_does(tmp_path, clip_norm):
    schedule = SCHEDULES["stages"]
    loop = trained(tmp_path, schedule=schedule, clip_norm=clip_norm)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), 0.05)
    scheduler = schedule(optimizer)
    for step in range(10):
        optimizer.zero_grad()
        loss(model, batch_of(step))[0].backward()
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        scheduler.step()
    for found, expected in zip(loop.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(found, expected)


def test_history_has_means_since_the_last_entry(whole, tmp_path):
    assert [entry["step"] for entry in whole.history] == [4, 8, 10]
    assert whole.history[0]["rate"] == 0.05
    single = looped(tmp_path).run(batch_of, plan(10, evaluate_every=1))
    for first, last, entry in zip((0, 4, 8), (4, 8, 10), whole.history, strict=True):
        for name in ("loss", "accuracy"):
            mean = np.mean([each[name] for each in single[first:last]])
            assert entry[name] == pytest.approx(mean, rel=1e-6)
    assert all(a["seconds"] < b["seconds"] for a, b in pairwise(single))


@pytest.mark.parametrize("cut", range(1, 10))
@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_a_run_that_broke_off_goes_on(whole, tmp_path, cut, ahead):
    class PowerCutError(Exception):
        pass

    def batch(step: int):
        if step == cut:
            raise PowerCutError
        return batch_of(step)

    with pytest.raises(PowerCutError):
        looped(tmp_path).run(batch, plan(10), ahead=ahead)
    assert looped(tmp_path).step == cut // 3 * 3
    assert_goes_on_to(whole, tmp_path)


@given(
    cuts=st.lists(st.integers(0, 9), max_size=4), save=st.integers(1, 11), look=st.integers(1, 11)
)
@settings(max_examples=25, deadline=None)
def test_wherever_a_run_is_stopped_the_weights_are_the_same(whole, cuts, save, look):
    """Dropout is active, and the evaluation draws random numbers of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for cut in sorted(cuts):
            loop = looped(Path(folder))
            if loop.step > cut:
                continue
            with pytest.raises(KeyboardInterrupt):
                loop.run(
                    interrupting(cut), plan(10, save_every=save, evaluate_every=look),
                    lambda: {"noise": torch.rand(())}, ahead=0,
                )  # fmt: skip
            assert looped(Path(folder)).step == loop.step == cut + 1
        assert values(trained(Path(folder))) == values(whole)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_goes_on(tmp_path, schedule):
    first = trained(tmp_path / "whole", schedule=schedule, run={"report": lambda entry: None})
    with pytest.raises(KeyboardInterrupt):
        looped(tmp_path, schedule=schedule).run(interrupting(4), plan(10), ahead=0)
    assert values(trained(tmp_path, schedule=schedule)) == values(first)
    rates = [entry["rate"] for entry in first.history]
    optimizer = torch.optim.AdamW(nn.Linear(1, 1).parameters(), 0.05)
    scheduler, expected = schedule(optimizer), []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == [expected[step - 1] for step in (4, 8, 10)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_any_optimizer_goes_on(tmp_path, optimizer):
    first = trained(tmp_path / "whole", optimizer=optimizer)
    trained(tmp_path, 4, optimizer=optimizer)
    assert values(trained(tmp_path, optimizer=optimizer)) == values(first)


def test_a_finished_run_takes_no_step(whole):
    folder = whole._file.parent
    content = whole._file.read_bytes()
    again = trained(folder)
    assert again.history == whole.history and again.step == 10
    assert values(again) == values(whole) and whole._file.read_bytes() == content


def test_a_longer_plan_goes_on(whole, tmp_path):
    trained(tmp_path, 5)
    loop = looped(tmp_path)
    for steps in (7, 10):  # twice with the same loop
        loop.run(batch_of, plan(steps))
    assert values(loop) == values(whole)


def test_another_run_is_refused_and_nothing_changes(whole):
    model = network()
    optimizer = torch.optim.AdamW(model.parameters())
    before = [value.clone() for value in model.state_dict().values()]
    with pytest.raises(ValueError, match="of another run, with batch_size 8, expected 9; train in"):
        Loop(whole._file.parent, model, optimizer, loss, {"recipe": {"batch_size": 9}})
    assert all(map(torch.equal, before, model.state_dict().values()))
    assert not optimizer.state
    with pytest.raises(ValueError, match="with optimizer AdamW, expected SGD; train in"):
        looped(whole._file.parent, optimizer=OPTIMIZERS["momentum"])
    with pytest.raises(ValueError, match="with scheduler not given, expected MultiStepLR; train"):
        looped(whole._file.parent, schedule=SCHEDULES["stages"])


@pytest.mark.parametrize("cut", [2, 3, 4, 9])
def test_an_interrupt_saves_and_goes_on(whole, tmp_path, cut):
    loop = looped(tmp_path)
    with pytest.raises(
        KeyboardInterrupt, match=f"stopped after step {cut + 1} of 10, which is sav"
    ):
        loop.run(interrupting(cut), plan(10), ahead=0)
    assert loop.step == looped(tmp_path).step == cut + 1
    assert_goes_on_to(whole, tmp_path)


def test_an_interrupt_while_batches_are_made_ahead(whole, tmp_path):
    loop = looped(tmp_path)
    with pytest.raises(KeyboardInterrupt, match="which is saved; run the same again to go on"):
        loop.run(interrupting(5), plan(10))
    assert 4 <= loop.step == looped(tmp_path).step <= 6
    assert_goes_on_to(whole, tmp_path)


def test_an_interrupt_during_evaluation(whole, tmp_path):
    def evaluate() -> dict:
        signal.raise_signal(signal.SIGINT)
        return {}

    with pytest.raises(KeyboardInterrupt, match="stopped after step 4 of 10"):
        trained(tmp_path, run={"evaluate": evaluate})
    assert_goes_on_to(whole, tmp_path)


def test_a_second_interrupt_does_not_wait(whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        looped(tmp_path).run(interrupting(5, times=2), plan(10), ahead=0)
    assert looped(tmp_path).step == 3
    assert_goes_on_to(whole, tmp_path)


def test_in_another_thread(whole, tmp_path):
    loop = looped(tmp_path)
    thread = threading.Thread(target=lambda: loop.run(batch_of, plan(10)))
    thread.start()
    thread.join()
    assert values(loop) == values(whole)


def test_evaluation_sees_the_model_as_it_is_used(tmp_path):
    seen = []

    def evaluate() -> dict:
        seen.append((loop.model.training, torch.is_grad_enabled()))
        return {"one": torch.ones((), dtype=torch.float64), "two": np.float32(2), "n": 3}

    loop = looped(tmp_path)
    entry = loop.run(batch_of, plan(2), evaluate)[-1]
    assert seen == [(False, False)]
    assert [(entry[name], type(entry[name])) for name in ("one", "two", "n")] == [
        (1.0, float), (2.0, float), (3, int)
    ]  # fmt: skip
    assert looped(tmp_path).history == loop.history


@pytest.mark.parametrize("end", ["finished", "interrupted", "failed"])
def test_nothing_is_left_behind(tmp_path, end):
    def batch(step: int):
        if end == "interrupted":
            return interrupting(2)(step)
        if step == 2 and end == "failed":
            raise OSError("no such scene")
        return batch_of(step)

    loop = looped(tmp_path)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    try:
        loop.run(batch, plan(4))
        kept = None
    except (KeyboardInterrupt, OSError) as error:
        kept = error  # as a notebook keeps it, and with it all that the loop had at hand
    assert (kept is None) == (end == "finished")
    assert not [thread for thread in threading.enumerate() if "batches" in thread.name]
    assert all(weight.grad is None for weight in loop.model.parameters())
    assert not loop.model.training
    assert torch.equal(torch.get_rng_state(), before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("amp", [torch.bfloat16, torch.float16])
def test_mixed_precision_trains_and_goes_on(tmp_path, amp):
    kinds = []

    def seen(model, batch):
        found = loss(model, batch)
        kinds.append(model.logits(torch.zeros(1, 6)).dtype)
        return found

    first = trained(tmp_path / "whole", amp=amp, loss=seen)
    trained(tmp_path, 4, amp=amp)
    again = trained(tmp_path, amp=amp)
    assert values(again) == values(first)
    scales = [loop._stepper.parts["scaler"].state_dict() for loop in (again, first)]
    assert scales[0] == scales[1]
    assert set(kinds) == {amp}
    assert {weight.dtype for weight in first.model.parameters()} == {torch.float32}
    losses = [entry["loss"] for entry in looped(tmp_path / "x").run(batch_of, plan(10))]
    assert losses == pytest.approx([entry["loss"] for entry in first.history], rel=0.05)
    assert losses != [entry["loss"] for entry in first.history]


def test_a_run_in_float16_goes_on_in_float32(tmp_path):
    """As when what was begun on a GPU is looked at without one."""
    trained(tmp_path, 4, amp=torch.float16)
    assert trained(tmp_path, 6).step == 6
    assert trained(tmp_path, amp=torch.float16).step == 10


def test_gradients_are_clipped_all_together(tmp_path):
    def steps(folder, clip_norm):
        model = network()
        before = nn.utils.parameters_to_vector(model.parameters()).detach()
        loop = looped(folder, model, lambda w: torch.optim.SGD(w, 1.0), clip_norm=clip_norm)
        loop.run(batch_of, plan(1))
        return nn.utils.parameters_to_vector(model.parameters()).detach() - before

    free, clipped = steps(tmp_path / "free", None), steps(tmp_path / "clipped", 0.01)
    assert free.norm() > 0.1
    assert clipped.norm().item() == pytest.approx(0.01, rel=1e-3)
    assert torch.cosine_similarity(free, clipped, dim=0).item() == pytest.approx(1, abs=1e-6)
    assert torch.equal(steps(tmp_path / "wide", 1e6), free)


def test_batches_of_any_form_go_to_the_device(tmp_path):
    def seen(model, batch):
        (table, texts), more = batch["pair"], batch["more"]
        assert texts == ["yes", "no"] and isinstance(more, tuple)
        return model(table).mean() + more[0].sum()

    def batch(step: int):
        return {"pair": [torch.ones(2, 4, 5), ["yes", "no"]], "more": (torch.ones(2), 7)}

    loop = looped(tmp_path, loss=seen)
    assert set(loop.run(batch, plan(1))[0]) == {"step", "rate", "loss", "seconds", "skipped"}


def test_an_identity_that_cannot_be_saved_is_refused_at_once(tmp_path):
    with pytest.raises(TypeError, match=r"PosixPath|WindowsPath"):
        looped(tmp_path, identity={"recordings": tmp_path})


def test_a_loss_that_is_not_one_number_is_refused(tmp_path):
    loop = looped(tmp_path, loss=lambda model, batch: model(batch[0]))
    with pytest.raises(ValueError, match=r"The loss has the shape \(8, 3\); expected one number"):
        loop.run(batch_of, plan(1))


@pytest.mark.parametrize("name", ["steps", "save_every", "evaluate_every"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_a_plan_that_cannot_be_followed(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}; expected a whole number from 1 on"):
        Plan(**{"steps": 9} | {name: value})


def test_the_bar_shows_steps_from_where_the_run_goes_on(tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    trained(tmp_path, 30)
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, terminal)
    seen = lambda entry: print("step", entry["step"])  # noqa: E731
    looped(tmp_path).run(batch_of, plan(300, evaluate_every=100, save_every=300), report=seen)
    lines = terminal.getvalue().split("\r")
    places = [line.rsplit("| ")[-1].split("/")[0] for line in lines if "/300 [" in line]
    assert "Small: " in lines[1] and all(int(place) > 30 for place in places[1:])
    assert any(" steps/s]" in line and "? steps/s" not in line for line in lines)
    # What is printed meanwhile has a line of its own, and in the end the bar is gone.
    assert [line for line in lines if "step " in line] == [f"step {n}\n" for n in (100, 200, 300)]
    assert lines[-1].strip() == ""
