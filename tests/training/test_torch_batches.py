"""Batches that are made while earlier ones are used."""

import threading
import time
from contextlib import closing

import pytest
import torch
from small_torch import one_thread  # noqa: F401

from course_utils.training.torch_batches import made_ahead, moved, tensors


@pytest.mark.parametrize("ahead", [0, 1, 2, 50])
def test_they_come_in_order_and_the_thread_ends(ahead):
    before = threading.active_count()
    made = made_ahead(lambda step: torch.tensor(step), range(3, 20), ahead)
    assert [int(batch) for batch in made] == list(range(3, 20))
    assert threading.active_count() == before


@pytest.mark.parametrize("ahead", [0, 1, 4])
def test_so_many_are_made_ahead(ahead):
    made = []
    with closing(made_ahead(lambda step: made.append(step) or step, range(20), ahead)) as batches:
        assert next(batches) == 0 and next(batches) == 1
        deadline = time.monotonic() + 10
        while len(made) < 2 + ahead and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05)
        assert made == list(range(2 + ahead))


def test_the_next_one_is_made_while_this_one_is_used():
    started = threading.Event()

    def batch_of(step: int) -> int:
        if step == 1:
            started.set()
        return step

    with closing(made_ahead(batch_of, range(5))) as batches:
        assert next(batches) == 0
        assert started.wait(10)


@pytest.mark.parametrize("ahead", [0, 1, 4])
def test_an_error_comes_when_its_batch_is_due(ahead):
    def batch_of(step: int) -> int:
        if step == 3:
            raise OSError("scene 3 cannot be read")
        return step

    before, seen = threading.active_count(), []
    with pytest.raises(OSError, match=r"^scene 3 cannot be read$"):
        seen.extend(made_ahead(batch_of, range(9), ahead))
    assert seen == [0, 1, 2] and threading.active_count() == before


def test_a_batch_keeps_its_form():
    batch = {"a": (torch.ones(2), [torch.zeros(1), "text"]), "b": None}
    found = moved(batch, torch.device("meta"))
    assert found["a"][0].is_meta and found["a"][1][0].is_meta
    assert (found["a"][1][1], found["b"]) == ("text", None)
    assert isinstance(found["a"], tuple) and isinstance(found["a"][1], list)
    assert len(list(tensors(batch))) == 2


def test_closed_early_it_makes_no_more():
    made, more = [], threading.Event()

    def batch_of(step: int) -> int:
        made.append(step)
        if step:
            more.wait(10)
        return step

    batches = made_ahead(batch_of, range(50), 40)
    assert next(batches) == 0
    threading.Timer(0.2, more.set).start()
    batches.close()
    assert made == [0, 1]
