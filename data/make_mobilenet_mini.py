"""Makes `mobilenet_mini.npz`: a small MobileNetV2 that has heard synthetic music, but no genre.

Run from the repository's root::

    python data/make_mobilenet_mini.py --output data/mobilenet_mini.npz

Where ImageNet cannot be downloaded, lesson 07 transfers from these weights. The network saw
pictures of three-second clips of music by chance (`synthesis/chance_music.py`) and learned to say
what is in them: which instruments, which drums, how fast, which effects; and to give some numbers
(`synthesis/picture_numbers.py`). The pictures are the same each time, and are kept in
`runs/mobilenet_mini`, so that a second run does not play the music again. Training adds up numbers
in an order that depends on the machine: weights agree only nearly.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's greeting

sys.path.insert(0, str(Path(__file__).parent))  # for tests, which load this file by its path

import keras
import numpy as np
import tensorflow as tf
from scipy import stats
from synthesis import chance_music, papers, picture_numbers, soundfont

from course_utils import files, machine, places
from course_utils.features.music import MelImages
from course_utils.models.genres import base_weights, networks

NAME = "mobilenet_mini"
SEED = 8
MEDLEYS = {"training": 1600, "validation": 50}
FRONT_END = MelImages(chance_music.SAMPLE_RATE, chance_music.SECONDS, size=96, windows=1)
ALPHA = 0.35
RECIPE = {"epochs": 14, "batch_size": 32, "learning_rate": 0.002, "weight_decay": 0.001}
FACTS_PER_UNIT = 60  # so many facts count as much as all numbers
_CHUNK = 50  # medleys in a file of pictures
_RESAMPLES = 1000


def medley_pictures(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Play a medley and look at its scenes.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        uint8 (scenes, 96, 96, 3), where 0 is -1 and 255 is 1; and bool (scenes, facts).
    """
    rng = np.random.default_rng([SEED, number])
    medley = chance_music.medley(rng)
    sound = soundfont.render(
        medley.notes, medley.programs, medley.seconds, FRONT_END.sample_rate, room=medley.room
    )
    pictures, facts = [], []
    for clip, true in zip(chance_music.clips(sound), medley.facts, strict=True):
        heard, done = chance_music.recorded(clip, rng)
        pictures.append(np.round((FRONT_END(heard)[0] + 1) * 127.5).astype(np.uint8))
        facts.append([fact in true | done for fact in chance_music.FACTS])
    return np.stack(pictures), np.array(facts)


@functools.cache
def first_medley_sha256() -> str:
    """Tells pictures of one version of this music from those of another."""
    return hashlib.sha256(medley_pictures(0)[0].tobytes()).hexdigest()


def pictures_of(part: str, folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """All pictures and facts of a part, and the seconds that they took to make.

    Those that are not in the folder are made.
    """
    first = 0 if part == "training" else MEDLEYS["training"]
    chunks = []
    for start in range(first, first + MEDLEYS[part], _CHUNK):
        stop = min(start + _CHUNK, first + MEDLEYS[part])
        path = folder / f"pictures_{first_medley_sha256()[:8]}_{start}_{stop}.npz"
        if not path.exists():
            began = time.monotonic()
            made = [medley_pictures(number) for number in range(start, stop)]
            pictures, facts = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
            with files.whole(path) as unfinished:
                np.savez(
                    unfinished, pictures=pictures, facts=facts, seconds=time.monotonic() - began
                )
            print(f"{part}: medleys {start} to {stop - 1}", flush=True)
        with np.load(path, allow_pickle=False) as content:
            chunks.append([content[name] for name in ("pictures", "facts", "seconds")])
    pictures, facts, seconds = zip(*chunks, strict=True)
    return np.concatenate(pictures), np.concatenate(facts), float(sum(seconds))


def as_input(pictures: tf.Tensor) -> tf.Tensor:
    """Pictures as the front end gives them."""
    return tf.cast(pictures, tf.float32) / 127.5 - 1


class History(keras.callbacks.Callback):
    """Loss and time of each epoch, kept on disk over an interruption."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self.entries = path, []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Take up what earlier sittings left; forget what has no backup."""
        if epoch and not self.entries:
            self.entries = json.loads(self._path.read_text(encoding="utf-8"))
        del self.entries[epoch:]
        self._began = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the epoch."""
        wall, processor = time.monotonic() - self._began[0], time.process_time() - self._began[1]
        entry = {"loss": logs["loss"], "seconds": wall, "processor_seconds": processor}
        self.entries.append({name: round(value, 3) for name, value in entry.items()})
        with files.whole(self._path) as unfinished:
            unfinished.write_text(json.dumps(self.entries), encoding="utf-8")


def trained(
    pictures: np.ndarray, facts: np.ndarray, recipe: dict, folder: Path
) -> tuple[keras.Model, list[dict]]:
    """Train the network, or go on where it was interrupted; return it and its history."""
    asked = scaled(numbers_of(pictures))
    keras.utils.set_random_seed(SEED)
    outputs = facts.shape[1] + asked.shape[1]
    model = networks.mobilenet(outputs, FRONT_END.size, ALPHA, trainable=True)
    rows = tf.data.Dataset.range(len(pictures)).shuffle(len(pictures), seed=SEED)
    held, targets = tf.constant(pictures), tf.constant(np.hstack([facts, asked]), tf.float32)
    batches = rows.batch(recipe["batch_size"]).map(
        lambda some: (as_input(tf.gather(held, some)), tf.gather(targets, some))
    )
    steps = recipe["epochs"] * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(recipe["learning_rate"], steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe["weight_decay"])
    model.compile(optimizer, functools.partial(_loss, facts.shape[1]), jit_compile=False)
    callbacks = [
        History(folder / "history.json"),
        keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True),
        keras.callbacks.TerminateOnNaN(raise_error=True),
    ]
    model.fit(
        batches.prefetch(2), epochs=recipe["epochs"], shuffle=False, verbose=2, callbacks=callbacks
    )
    return model, callbacks[0].entries


def numbers_of(pictures: np.ndarray) -> np.ndarray:
    """The numbers of many pictures, a few at a time."""
    parts = np.array_split(pictures, max(1, len(pictures) // 500))
    return np.concatenate([picture_numbers.numbers(some / np.float32(127.5) - 1) for some in parts])


def scaled(numbers: np.ndarray) -> np.ndarray:
    """With mean 0 and deviation 1; at most 4, so that no outlier rules."""
    return ((numbers - numbers.mean(axis=0)) / (numbers.std(axis=0) + 1e-6)).clip(-4, 4)


def _loss(n_facts: int, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Doubt about the facts, summed up to the size of that about the numbers; squared errors."""
    doubt = tf.nn.sigmoid_cross_entropy_with_logits(targets[:, :n_facts], outputs[:, :n_facts])
    errors = tf.square(targets[:, n_facts:] - outputs[:, n_facts:])
    return tf.reduce_sum(doubt, axis=1) / FACTS_PER_UNIT + tf.reduce_mean(errors, axis=1)


def areas(scores: np.ndarray, facts: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each fact; NaN where all or none of the clips have it."""
    ranks, n = stats.rankdata(scores, axis=0), facts.sum(axis=0)
    above = (ranks * facts).sum(axis=0) - n * (n + 1) / 2
    pairs = n * (len(facts) - n)
    return np.where(pairs > 0, above / np.maximum(pairs, 1), np.nan)


def measured(model: keras.Model, pictures: np.ndarray, facts: np.ndarray) -> dict:
    """How well the network knows clips that it never saw; intervals by bootstrap over medleys."""
    scores = model.predict(as_input(pictures), batch_size=100, verbose=0)[:, : facts.shape[1]]
    found = areas(scores, facts)
    rng, clips = np.random.default_rng(SEED), chance_music.SCENES
    medleys = len(pictures) // clips
    means = []
    for _ in range(_RESAMPLES):
        drawn = (rng.integers(medleys, size=medleys)[:, None] * clips + np.arange(clips)).ravel()
        means.append(np.nanmean(areas(scores[drawn], facts[drawn])))
    return {
        "metric": "area under the ROC curve, mean over facts (0.5 is chance)",
        "mean": float(np.nanmean(found)),
        "interval_95": np.percentile(means, [2.5, 97.5]).tolist(),
        "clips": len(pictures), "medleys": medleys,
        "facts": {
            name: None if np.isnan(area) else round(float(area), 3)
            for name, area in zip(chance_music.FACTS, found, strict=True)
        },
    }  # fmt: skip


def described(path: Path, measures: dict, rendering: float, history: list[dict]) -> dict:
    """The card; `rendering` in seconds."""
    return {
        "name": NAME,
        "what": "Weights of a MobileNetV2 without its last layer, trained by this project to say"
        " what is in music by chance; no genre and no recording was heard.",
        "made_by": f"data/{Path(__file__).name}",
        "file": {"name": path.name, "bytes": path.stat().st_size,
                 "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "alpha": ALPHA,
        "front_end": FRONT_END.settings,
        "recipe": {**RECIPE, "seed": SEED},
        "medleys": MEDLEYS,
        "clips": {part: count * chance_music.SCENES for part, count in MEDLEYS.items()},
        "clip_seconds": chance_music.SECONDS,
        "pictures_of_first_medley_sha256": first_medley_sha256(),
        "measured": measures,
        "seconds": {
            "rendering": round(rendering),
            "training": round(sum(entry["seconds"] for entry in history)),
            "training_on_processor": round(sum(entry["processor_seconds"] for entry in history)),
        },
        "history": history,
        "licence": "CC0 1.0; the sound font FluidR3_GM, by Frank Wen, is under the MIT licence.",
        "made_with": papers.made_with(soundfont.PACKAGES) | {"mido": metadata.version("mido")},
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "written": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / f"{NAME}.npz")
    parser.add_argument("--threads", type=int, default=1, help="processor cores (default: 1)")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    soundfont.require_packages()
    folder = places.runs(NAME)
    folder.mkdir(parents=True, exist_ok=True)
    pictures, facts, rendering = pictures_of("training", folder)
    model, history = trained(pictures, facts, RECIPE, folder)
    measures = measured(model, *pictures_of("validation", folder)[:2])
    base_weights.save(networks.base_of(model), arguments.output)
    card = described(arguments.output, measures, rendering, history)
    with files.whole(arguments.output.with_suffix(".json")) as unfinished:
        unfinished.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print(f"{arguments.output}: mean area {measures['mean']:.3f}, {card['seconds']}")


if __name__ == "__main__":
    main()
