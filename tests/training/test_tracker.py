"""A tracker beside TensorBoard: told everything once, and never able to stop a training."""

import warnings
from types import ModuleType, SimpleNamespace

import pytest
from small_torch import batch_of, looped, one_thread, plan, values  # noqa: F401

from course_utils.training import torch_processes
from course_utils.training.torch_log import Log

SENTENCE = (
    r"^The tracker Failing failed at step 4 \(ConnectionError: no route to host\); expected it to"
    r" keep the numbers; mend it for the next run, this one goes on and its history has them\.$"
)


class Experiment:
    """Signature of comet_ml.Experiment.log_metrics."""

    def __init__(self) -> None:
        self.told = []

    def log_metrics(self, dic, prefix=None, step=None, epoch=None):
        assert prefix is None and epoch is None
        self.told.append((step, dic))


def mlflow() -> ModuleType:
    """Signature of mlflow.log_metrics."""

    def log_metrics(metrics, step=None, synchronous=None, run_id=None, timestamp=None):
        assert synchronous is run_id is timestamp is None
        module.told.append((step, metrics))

    module = ModuleType("mlflow")
    module.told, module.log_metrics = [], log_metrics
    return module


class Failing:
    """Counts how often it was asked, and fails every time."""

    asked = 0

    def log_metrics(self, metrics, step):
        self.asked += 1
        metrics.clear()
        raise ConnectionError("no route\nto host.")


def trained(folder, tracker=None, steps: int = 10, **options):
    loop = looped(folder, tracker=tracker, **options)
    loop.run(batch_of, plan(steps), evaluate=lambda: {"best": "yes", "checked": 3})
    return loop


@pytest.mark.parametrize("make", [Experiment, mlflow])
@pytest.mark.parametrize("tensorboard", [True, False])
def test_it_is_told_the_numbers_of_the_history(tmp_path, make, tensorboard):
    tracker = make()
    loop = trained(tmp_path, tracker, tensorboard=tensorboard)
    assert (tmp_path / "tensorboard").exists() == tensorboard
    assert [step for step, _ in tracker.told] == [4, 8, 10]
    for (_, told), entry in zip(tracker.told, loop.history, strict=True):
        assert told == {name: entry[name] for name in entry if name not in ("step", "best")}
        assert {"rate", "loss", "accuracy", "seconds", "skipped", "checked"} == told.keys()


def test_what_an_earlier_sitting_told_is_not_told_again(tmp_path):
    trained(tmp_path, Experiment(), 5)
    tracker = Experiment()
    trained(tmp_path, tracker)
    assert [step for step, _ in tracker.told] == [8, 10]


def test_one_that_fails_is_warned_of_once_and_stops_nothing(tmp_path):
    quiet, tracker = trained(tmp_path / "quiet"), Failing()
    with pytest.warns(UserWarning, match=SENTENCE) as warned:
        loop = trained(tmp_path / "failing", tracker, tensorboard=True)
    assert len(warned) == 1 and tracker.asked == 3, "it may come back"
    assert values(loop) == values(quiet) and len(loop.history) == 3
    assert all("loss" in entry for entry in loop.history), "its own copy was emptied"
    assert values(looped(tmp_path / "failing")) == values(quiet)
    assert list((tmp_path / "failing" / "tensorboard").iterdir())


def test_only_the_first_process_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_processes, "rank", lambda: 1)
    tracker = Failing()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(tmp_path, tracker)
    assert tracker.asked == 0


@pytest.mark.parametrize(
    "tracker", ["comet", {}, SimpleNamespace(log_metrics=3), Experiment, SimpleNamespace(log=print)]
)
def test_what_is_no_tracker_is_refused_at_once(tmp_path, tracker):
    sentence = (
        r"^The tracker is .+; expected an object with a method log_metrics\(metrics, step=\.\.\.\),"
        r" such as a comet_ml\.Experiment or the module mlflow; pass one, or leave it out\.$"
    )
    with pytest.raises(TypeError, match=sentence):
        looped(tmp_path / "run", tracker=tracker)
    assert not (tmp_path / "run").exists()


def test_a_log_of_its_own_needs_no_folder():
    tracker = Experiment()
    log = Log(None, 1, tracker)
    log.add({"step": 7, "loss": 0.5, "name": "x"})
    log.close()
    assert tracker.told == [(7, {"loss": 0.5})]
