"""Remake data/results/librispeech: a speech recogniser that was trained longer than a lesson may.

For lesson 06 it trains the small recogniser on the shipped sentences and writes

- data/results/librispeech/: the recogniser,
- data/results/librispeech.json: its card, what it reached on voices and sentences it never heard.

Run it by `make results`. One that was interrupted goes on, and one that was finished is measured
without being trained again, until its folder under runs/results is deleted.
"""

import argparse
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from course_utils import decoding, files, machine, metrics, places
from course_utils.datasets import cards, librispeech
from course_utils.datasets.archives import sha256_of
from course_utils.datasets.librispeech import Part
from course_utils.features.spec_augment import SpecAugment
from course_utils.models import deepspeech as models
from course_utils.models.deepspeech import Recogniser
from course_utils.models.deepspeech.recogniser import MODEL_FILE
from course_utils.training import deepspeech as training
from course_utils.training.torch_loop import Loop, Plan

DATA = "librispeech_mini"
TRAINING, VALIDATION, TESTING = librispeech.MINI


@dataclass(frozen=True)
class Recipe:
    """Every number of the training."""

    network: str = "mini"
    passes: int = 60
    batch_size: int = 8
    learning_rate: float = 4e-3
    warm: float = 0.2  # share of the steps in which the rate rises
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    masks: tuple[int, int, int, int] = (2, 15, 2, 6)  # as SpecAugment takes them
    evaluate_every: int = 5  # passes
    seed: int = 1


RECIPE = Recipe()


def trained(recipe: Recipe, part: Part, held_out: Part, folder: Path) -> list[dict]:
    """Train a recogniser in a folder, or go on there; its history."""
    torch.manual_seed(recipe.seed)
    recogniser = models.new(recipe.network)
    batches = training.Batches(
        part, recogniser, recipe.batch_size, speeds=recipe.speeds,
        augment=SpecAugment(*recipe.masks), seed=recipe.seed,
    )  # fmt: skip
    validation = training.Batches(held_out, recogniser)
    weights = recogniser.network.parameters()
    optimizer = torch.optim.AdamW(weights, weight_decay=recipe.weight_decay)
    steps = recipe.passes * batches.per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, steps, pct_start=recipe.warm
    )
    identity = {"recipe": asdict(recipe), "archive_sha256": cards.load(DATA).sha256}
    # On a processor, whatever else there is: the card means the same wherever it was made.
    loop = Loop(
        folder, recogniser.network, optimizer, training.ctc, identity,
        scheduler=schedule, clip_norm=recipe.clip_norm, device="cpu",
    )  # fmt: skip
    plan = Plan(steps, batches.per_epoch, recipe.evaluate_every * batches.per_epoch)
    history = loop.run(batches, plan, lambda: heard(recogniser, validation), print)
    recogniser.save(folder)
    return history


def heard(recogniser: Recogniser, batches: training.Batches) -> dict[str, float]:
    """Loss and error rates while it trains."""
    found = training.validation(recogniser.network, batches)
    words, characters = errors(found.texts, found.log_probs, recogniser)
    return {"validation_loss": found.loss, "wer": words.rate, "cer": characters.rate}


def errors(
    texts: list[str], log_probs: list[np.ndarray], recogniser: Recogniser
) -> tuple[metrics.ErrorCounts, metrics.ErrorCounts]:
    """Wrong words and wrong characters of the best paths."""
    tables = ((table[None], [len(table)]) for table in log_probs)
    written = [decoding.greedy(*each, recogniser.alphabet)[0] for each in tables]
    return metrics.word_errors(texts, written), metrics.character_errors(texts, written)


def measured(recogniser: Recogniser, part: Part, seed: int) -> dict:
    """What a recogniser makes of a part, from the sound to the text."""
    found = recogniser.transcribe(each.load() for each in part)
    words, characters = errors([each.text for each in part], found, recogniser)
    speakers = [each.speaker for each in part]
    measures = {"utterances": len(part), "speakers": len(part.speakers)}
    for name, counts in (("wer", words), ("cer", characters)):
        interval = counts.interval(np.random.default_rng(seed), groups=speakers)
        measures[name] = {"rate": counts.rate, "interval_95": interval,
                          "errors": counts.errors, counts.unit: counts.n}  # fmt: skip
    return measures


def described(folder: Path, recipe: Recipe, history: list[dict], parts: list[Part]) -> dict:
    """The card of the recogniser in a folder, measured as it lies there."""
    file, recogniser = folder / MODEL_FILE, models.load(folder)
    return {
        "made_by": "make results",
        "what": "A speech recogniser for lesson 06; error rates of greedy decoding over each whole"
        " part; intervals by bootstrap over its speakers, none of whom is in the training part.",
        "data": DATA,
        "archive_sha256": cards.load(DATA).sha256,
        "trained_on": TRAINING,
        "recipe": asdict(recipe),
        "parameters": models.parameters(recogniser.network),
        "file": {"name": file.name, "bytes": file.stat().st_size, "sha256": sha256_of(file)},
        "measured": {part.name: measured(recogniser, part, recipe.seed) for part in parts},
        "steps": history[-1]["step"],
        "seconds": round(history[-1]["seconds"], 1),
        "threads": torch.get_num_threads(),
        "history": history,
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "written": datetime.now(UTC).date().isoformat(),
    }


def write(target: Path, folder: Path, card: dict) -> None:
    """Write the card, and the recogniser into the folder beside it that has its name: both whole.

    Parameters
    ----------
    target : Path
        Of the card.
    folder : Path
        Where the recogniser is copied from.
    card : dict
        As :func:`described` gives it.
    """
    text = json.dumps(card, indent=1, allow_nan=False) + "\n"
    shipped = target.with_suffix("") / MODEL_FILE
    shipped.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(target) as unfinished, files.whole(shipped) as copy:
        unfinished.write_text(text, encoding="utf-8")
        shutil.copyfile(folder / MODEL_FILE, copy)


def main() -> None:
    """Train, measure, write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    options.add_argument("--threads", type=int, default=2, help="processor cores (default: 2)")
    torch.set_num_threads(options.parse_args().threads)
    parts = {name: librispeech.open(name) for name in librispeech.MINI}
    folder = places.runs("results") / "librispeech"
    history = trained(RECIPE, parts[TRAINING], parts[VALIDATION], folder)
    card = described(folder, RECIPE, history, [parts[VALIDATION], parts[TESTING]])
    write(places.project_root() / "data" / "results" / "librispeech.json", folder, card)


if __name__ == "__main__":
    main()
