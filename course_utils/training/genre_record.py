"""What a run of Keras' ``fit`` leaves behind: its history, its best weights, and clear stops."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import tqdm

from course_utils import files, places
from course_utils.training import identity, keras_checkpoint
from course_utils.training.keras_loop import Diverged


class Record(keras.callbacks.Callback):
    """Keeps history and best weights on disk, so that both outlive an interruption.

    Keras' ``ModelCheckpoint`` and ``EarlyStopping`` forget with the program what the best epoch
    was; here that follows from the history. Must come before ``BackupAndRestore`` in the list of
    callbacks: an epoch counts once its backup is there, and one that has none is taken again.

    Parameters
    ----------
    folder : Path
        Gets ``history.json`` and ``best.npz``.
    model : keras.Model
    identity : dict
        What makes this run this run; one that is there must have the same.
    patience : int or None
        Stop after so many epochs without a lower validation loss.
    interrupted : callable
        Whether an interrupt is waiting, see :mod:`course_utils.training.interrupts`.
    shown : tqdm.tqdm
        Is moved by one for each batch.
    report : callable
        Is given each new entry.

    Raises
    ------
    ValueError
        If the folder has a run of another identity, or its history cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        identity: dict,
        patience: int | None,
        interrupted: Callable[[], bool],
        shown: tqdm.tqdm,
        report: Callable[[dict], None],
    ) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._file, self._best = folder / "history.json", folder / "best.npz"
        self._network, self._identity, self._patience = model, identity, patience
        self._interrupted, self._shown, self._report = interrupted, shown, report
        self.entries: list[dict] = []
        self.finished = False
        if self._file.exists():
            self._read()

    def _read(self) -> None:
        try:
            record = json.loads(self._file.read_text(encoding="utf-8"))
            found = {name: record[name] for name in ("identity", "finished", "entries")}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{places.shown(self._file)} is no history of a training run ({error!r});"
                " expected one that training left; delete its folder to train from the start."
            ) from error
        identity.check(self._file, found["identity"], self._identity)
        self.entries, self.finished = found["entries"], found["finished"]

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Forget what came after the backup."""
        del self.entries[epoch:]
        earlier = self.entries[-1]["seconds"] if self.entries else 0.0
        self._begun = time.monotonic() - earlier
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stop at a loss that is no number, or when asked to."""
        self._shown.update()
        if not math.isfinite(logs["loss"]):
            rate = float(self._network.optimizer.learning_rate)
            raise Diverged(
                f"Training of {self._network.name!r} stopped at batch {batch + 1} of epoch"
                f" {self._epoch}, where the loss is {logs['loss']} at a learning rate of {rate:g};"
                " expected a finite number; look for windows that are not finite, or lower the"
                " rate, and train in another folder."
            )
        if self._interrupted():
            raise KeyboardInterrupt(
                f"stopped in epoch {self._epoch}, of which nothing is kept; run the same again to"
                " go on from its beginning"
            )

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Move the bar."""
        self._shown.update()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the numbers, and the weights if they are the best so far."""
        best = min((entry["validation_loss"] for entry in self.entries), default=math.inf)
        entry = {
            "epoch": epoch + 1, "rate": float(self._network.optimizer.learning_rate),
            "loss": logs["loss"], "accuracy": logs["accuracy"],
            "validation_loss": logs["val_loss"], "validation_accuracy": logs["val_accuracy"],
            "seconds": time.monotonic() - self._begun,
        }  # fmt: skip
        if not math.isfinite(entry["validation_loss"]):
            raise Diverged(
                f"Training of {self._network.name!r} stopped after epoch {epoch + 1}, where the"
                f" validation loss is {entry['validation_loss']}; expected a finite number; look"
                " for windows that are not finite, or lower the learning rate, and train in another"
                " folder."
            )
        if entry["validation_loss"] < best:
            keras_checkpoint.save(self._best, self._network.variables, {"epoch": epoch + 1})
        self.entries.append(entry)
        losses = [each["validation_loss"] for each in self.entries]
        waited = len(losses) - 1 - losses.index(min(losses))
        self.model.stop_training = self._patience is not None and waited >= self._patience
        # Noted before the backup goes, or a kill in between would make the run begin again.
        self.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._write()
        with self._shown.external_write_mode():
            self._report(entry)

    def _write(self) -> None:
        record = {"identity": self._identity, "finished": self.finished, "entries": self.entries}
        with files.whole(self._file) as unfinished:
            unfinished.write_text(json.dumps(record, indent=1, allow_nan=False), encoding="utf-8")

    def restore_best(self) -> None:
        """Give the model the weights of its best epoch."""
        keras_checkpoint.restore(self._best, self._network.variables, {})
