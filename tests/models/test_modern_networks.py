"""The networks beyond the tutorial: what is promised of each of them."""

import keras
import numpy as np
import pytest

from course_utils.models import speech_commands as models
from course_utils.models.speech_commands import modern

MODERN = [name for name, make in models.ARCHITECTURES.items() if make.__module__ == modern.__name__]


@pytest.fixture(scope="module", params=MODERN)
def network(request):
    keras.utils.set_random_seed(0)
    return models.build(request.param, (98, 40), 12)


def test_there_are_some():
    assert {"ds_cnn", "tc_resnet"} <= set(MODERN)


def test_it_is_smaller_than_the_tutorials_conv_and_does_less(network):
    assert 12 < network.count_params() < 350_000
    assert 0 < models.multiply_adds(network) < 20_000_000


def test_every_layer_can_be_counted_frame_counting_needs_svdf(network):
    with pytest.raises(ValueError, match=r"begins with .+; expected Svdf"):
        models.multiply_adds_per_frame(network)


def test_its_first_layer_removes_unit_and_offset_of_the_features(network):
    tables = np.random.default_rng(0).normal(0, 1, (64, 98, 40)).astype(np.float32)
    first = keras.Model(network.input, network.get_layer("input_norm").output)
    plain, changed = (first(x, training=True) for x in (tables, 50 * tables - 7))
    np.testing.assert_allclose(plain, changed, atol=0.01)
    assert np.std(plain) == pytest.approx(1, abs=0.01)


def test_it_works_at_another_size():
    for name in MODERN:
        assert models.build(name, (49, 20), 4)(np.zeros((1, 49, 20))).shape == (1, 4)
