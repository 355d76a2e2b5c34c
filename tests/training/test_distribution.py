"""One training cell on one device and on two; which strategy a machine gets."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from course_utils.datasets.genres import records  # noqa: E402
from course_utils.datasets.genres.windows import Windows  # noqa: E402
from course_utils.training import distribution  # noqa: E402

SCRIPT = Path(__file__).with_name("replicas_run.py")
FULL, ODD, BATCH = 24, 17, 8  # the last batch of 17 has one window, for two replicas


def windows_of(count: int) -> Windows:
    rng = np.random.default_rng(0)
    numbers = np.arange(count)
    names = tuple(map(str, range(count)))
    x = rng.normal(size=(count, 6, 1)).astype(np.float32)
    return Windows(x, numbers % 4, numbers, tuple("abcd"), names, names)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the other process says."""
    folders = []
    for count in (FULL, ODD):
        folders.append(tmp_path_factory.mktemp("records"))
        records.write(windows_of(count), folders[-1], shards=3)
    run = subprocess.run(
        [sys.executable, SCRIPT, *folders], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
def test_several_logical_processors_are_mirrored(found):
    assert found["replicas"] == [1, 2]
    assert [each["described"] for each in found["full"]] == [
        "one CPU, which computes every batch whole", "2 CPUs, each computes a share of every batch"
    ]  # fmt: skip


@pytest.mark.slow
def test_two_devices_train_as_one_does(found):
    one, two = found["full"]
    assert one["loss"][-1] < one["loss"][0]
    for name in ("loss", "evaluated", "scores", "weights"):
        np.testing.assert_allclose(one[name], two[name], rtol=1e-4, atol=1e-5)
    assert one["steps"] == two["steps"] == [3, 3] and one["seen"] == two["seen"] == FULL


@pytest.mark.slow
def test_an_incomplete_last_batch_is_filled_for_two_devices(found):
    one, two = found["odd"]
    assert one["steps"] == two["steps"] == [math.ceil(ODD / BATCH)] * 2
    assert (one["seen"], two["seen"]) == (ODD, 3 * BATCH)
    assert np.isfinite(two["loss"]).all() and np.isfinite(two["weights"]).all()


@pytest.mark.slow
def test_an_incomplete_last_batch_that_is_not_filled_ruins_the_weights(found):
    """If a later Keras mends this, the filling may go."""
    assert np.isnan(found["not filled"]).any()


@pytest.mark.slow
def test_two_devices_evaluate_each_window_once(found, tmp_path):
    manifest = records.write(windows_of(ODD), tmp_path, shards=3)
    for result in found["odd"]:
        logits = np.array(result["scores"])
        assert logits.shape == (ODD, 4)
        of_class = np.take_along_axis(logits, manifest.classes[:, None], 1)[:, 0]
        loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - of_class)
        right = np.mean(logits.argmax(axis=1) == manifest.classes)
        assert result["evaluated"] == pytest.approx([loss, right], rel=1e-4)


@pytest.mark.slow
def test_batches_that_cannot_be_shared_out(found):
    assert found["one is as it was"] is True
    sentences = found["refused"]
    assert sentences[0] == (
        "batch_size is 7 with 2 replicas; expected a multiple of 2, so that each gets as much;"
        " take 6."
    )
    assert sentences[1].endswith("take 2.") and sentences[2].startswith("batch_size is 0 with 2")
    assert sentences[3].startswith("The number of training batches is not known or not finite;")


# ---------------------------------------------------------------- which strategy


def test_a_machine_with_one_processor_has_the_default_strategy():
    found = distribution.strategy()
    assert found is tf.distribute.get_strategy() and found.num_replicas_in_sync == 1
    assert distribution.described(found) == "one CPU, which computes every batch whole"


class Tpu:
    """A resolver of some addresses."""

    known = ()

    def __init__(self, address: str) -> None:
        self.address = address
        if address not in self.known:
            raise ValueError("Please provide a TPU Name to connect to.")


@pytest.fixture
def tpu(monkeypatch):
    """TensorFlow as on a machine with a TPU at the addresses in ``Tpu.known``."""
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", Tpu)
    monkeypatch.setattr(tf.config, "experimental_connect_to_cluster", lambda resolver: None)
    begun = []
    monkeypatch.setattr(tf.tpu.experimental, "initialize_tpu_system", begun.append)
    monkeypatch.setattr(tf.distribute, "TPUStrategy", lambda resolver: f"at {resolver.address!r}")
    return begun


@pytest.mark.parametrize("address", ["", "local"])
def test_a_tpu_comes_first(tpu, monkeypatch, address):
    monkeypatch.setattr(Tpu, "known", (address,))
    assert distribution.strategy() == f"at {address!r}"
    assert [resolver.address for resolver in tpu] == [address]


@pytest.mark.parametrize(
    "error", [tf.errors.NotFoundError(None, None, "TPUs not found"), RuntimeError("not ready")]
)
def test_a_tpu_that_does_not_start_is_passed_over(tpu, monkeypatch, error):
    def fail(resolver):
        raise error

    monkeypatch.setattr(Tpu, "known", ("", "local"))
    monkeypatch.setattr(tf.tpu.experimental, "initialize_tpu_system", fail)
    assert distribution.strategy() is tf.distribute.get_strategy()


def named(count: int, kind: str) -> list:
    return [tf.config.LogicalDevice(f"/device:{kind}:{number}", kind) for number in range(count)]


@pytest.mark.parametrize(("gpus", "cpus"), [(1, 1), (3, 1), (2, 4)])
def test_all_gpus_are_taken_even_a_single_one(tpu, monkeypatch, gpus, cpus):
    there = {"GPU": named(gpus, "GPU"), "CPU": named(cpus, "CPU")}
    monkeypatch.setattr(tf.config, "list_logical_devices", there.get)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", list)
    assert distribution.strategy() == [f"/device:GPU:{number}" for number in range(gpus)]
