"""The CTC loss of the recogniser, and what it makes of a validation part."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_torch import one_thread  # noqa: F401
from small_utterances import Spoken, part, recogniser
from torch import nn

from course_utils.decoding import greedy, text_probabilities
from course_utils.features.spec_augment import SpecAugment
from course_utils.training.deepspeech import Batches, ctc, validation
from course_utils.training.torch_loop import Loop, Plan

NET = recogniser()


class Says(nn.Module):
    """A network that says what it was told, whatever it hears."""

    def __init__(self, probabilities: object, steps: list[int] | None = None) -> None:
        super().__init__()
        self.log_probs = nn.Parameter(torch.as_tensor(probabilities, dtype=torch.float32).log())
        self.steps = steps or [self.log_probs.shape[1]] * self.log_probs.shape[0]

    def forward(self, frames, lengths):
        return self.log_probs, torch.tensor(self.steps)


def batch(*targets: list[int], **more) -> dict:
    lengths = [len(target) for target in targets]
    padded = torch.full((len(targets), max(lengths)), 0)
    for row, target in zip(padded, targets, strict=True):
        row[: len(target)] = torch.tensor(target, dtype=torch.int64)
    return {"frames": None, "lengths": None, "targets": padded, **more,
            "target_lengths": torch.tensor(lengths)}  # fmt: skip


def uniform(items: int, steps: int, classes: int = 3) -> np.ndarray:
    return np.full((items, steps, classes), 1 / classes)


@pytest.mark.parametrize(
    "target, expected", [([0], 1.504077), ([0, 0], 3.295837 / 2), ([], 3.295837)]
)
def test_golden_values(target, expected):
    """Three classes alike, three steps: of 27 paths, 6 write "a", one "aa", one nothing."""
    assert ctc(Says(uniform(1, 3)), batch(target)).item() == pytest.approx(expected, abs=1e-6)


def test_a_batch_gives_the_mean_of_its_items_each_by_its_length():
    found = ctc(Says(uniform(3, 3)), batch([0], [0, 0], []))
    assert found.item() == pytest.approx((1.504077 + 3.295837 / 2 + 3.295837) / 3, abs=1e-6)
    weighted = ctc(Says(uniform(3, 3)), batch([0], [0, 0], [], weight=0.5))
    assert weighted.item() == pytest.approx(found.item() / 2)


def test_the_beam_search_lesson():
    """The best path writes nothing, with 0.36; "a" has 0.64 on three paths."""
    assert math.exp(-ctc(Says([[[0.4, 0.6]] * 2]), batch([0])).item()) == pytest.approx(0.64)


@given(st.integers(0, 2), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_it_is_what_all_paths_add_up_to(blank, steps, seed):
    rng = np.random.default_rng(seed)
    lattice = rng.dirichlet(np.ones(3), size=(1, steps)).astype(np.float32)
    symbols = ["a", "b"]
    symbols.insert(blank, "")
    for text, probability in text_probabilities(np.log(lattice[0]), symbols, blank).items():
        target = [symbols.index(letter) for letter in text]
        loss = ctc(Says(lattice), batch(target, blank=blank)).item()
        assert loss * max(len(text), 1) == pytest.approx(-math.log(probability), rel=1e-4, abs=1e-5)


def test_steps_and_characters_behind_an_item_count_for_nothing():
    found = []
    for rest in (0, 1):
        lattice = uniform(2, 5)
        lattice[0, 2:] = [0.8, 0.1, 0.1]
        given = batch([1, 0], [0, 1, 0], names=["x", "y"])
        given["targets"][0, 2:] = rest
        found.append(ctc(Says(lattice, steps=[2, 5]), given).item())
    single = ctc(Says(uniform(1, 2)), batch([1, 0])), ctc(Says(uniform(1, 5)), batch([0, 1, 0]))
    assert found == [pytest.approx(sum(single).item() / 2)] * 2


@pytest.mark.parametrize(
    "more, names",
    [({"names": ["7-1-0003", "7-1-0001"]}, "7-1-0003"), ({}, "item 0")],
)
def test_a_target_that_cannot_be_written_is_named_before_there_is_infinity(more, names):
    sentence = (
        rf"^Nothing can be learned from 1 of 2 .* {names} \(2 steps for a text that takes 3\)"
    )
    with pytest.raises(ValueError, match=sentence):
        ctc(Says(uniform(2, 3), steps=[2, 3]), batch([0, 0], [0, 1], **more))
    assert ctc(Says(uniform(2, 3)), batch([0, 0], [0, 1], **more)).isfinite()


def test_a_recording_shorter_than_promised_is_named_when_its_batch_is_due():
    class Cut(Spoken):
        seconds = 2.0  # as its header says

        def load(self):
            samples, rate = super().load()
            return samples[: rate // 10], rate

    made = Batches([Cut("7-1-0000", "aabb"), *part(2)], NET)
    with pytest.raises(ValueError, match=r"utterances, 7-1-0000 \(4 steps for a text that takes 6"):
        ctc(NET.network, made(0))


def test_in_bfloat16_the_loss_is_finite_and_still_float32():
    made = recogniser()
    found = Batches(part(8), made, 8)(0)
    whole = ctc(made.network, found)
    with torch.autocast("cpu", torch.bfloat16):
        assert made.network(found["frames"], found["lengths"])[0].dtype == torch.bfloat16
        loss = ctc(made.network, found)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(whole.item(), rel=0.02) and loss != whole
    assert ctc(Says(uniform(1, 3)).bfloat16(), batch([0])).dtype == torch.float32
    loss.backward()
    assert all(weight.grad.isfinite().all() for weight in made.network.parameters())


def test_what_is_heard_comes_in_the_order_of_the_part():
    made, texts = recogniser(dropout=0.5), part(9)
    heard = validation(made.network.train(), Batches(texts, made, 4, seed=8))
    assert made.network.training, "as it was before"
    assert heard.texts == [each.text for each in texts]
    made.network.eval()
    losses = []
    for utterance, log_probs in zip(texts, heard.log_probs, strict=True):
        expected = made.log_probs(*utterance.load())
        assert log_probs.dtype == np.float32
        np.testing.assert_allclose(log_probs, expected, atol=1e-5)
        losses.append(ctc(made.network, Batches([utterance], made)(0)).item())
    assert heard.loss == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize(
    "options", [{"augment": SpecAugment()}, {"speeds": (0.9, 1.0)}, {"share": (0, 2)}]
)
def test_validation_takes_the_sounds_as_they_are(options):
    sentence = (
        r"^The batches for validation are augmented, played at several speeds or one process's"
        r" share; expected the sounds as they are; make them without augment, speeds and share\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        validation(recogniser().network, Batches(part(3), recogniser(), **options))


def test_a_network_learns_to_write_what_it_hears(tmp_path):
    made = recogniser(strides=(2, 2), units=24, width=24)
    optimizer = torch.optim.AdamW(made.network.parameters(), 0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.03, total_steps=100)
    loop = Loop(tmp_path, made.network, optimizer, ctc, {}, scheduler=schedule, clip_norm=1.0,
                device="cpu", tensorboard=False)  # fmt: skip
    batches = Batches(part(8, longest=5), made, 8)
    history = loop.run(
        batches,
        Plan(100, 100, evaluate_every=50),
        evaluate=lambda: {"heard": validation(made.network, batches).loss},
    )
    assert history[-1]["heard"] < 0.05 < 0.3 < history[0]["loss"]
    heard = validation(made.network, batches)
    assert heard.loss == history[-1]["heard"]
    written = [greedy(each[None], [len(each)], made.alphabet)[0] for each in heard.log_probs]
    assert written == heard.texts
