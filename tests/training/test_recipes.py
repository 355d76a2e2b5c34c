"""Recipes: which are refused, and what their stages and optimizers do."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils.models import speech_commands as models
from course_utils.training import speech_commands as training
from course_utils.training.keras_loop import Loop, Plan
from course_utils.training.speech_commands import Recipe


@pytest.mark.parametrize(
    "entries, sentence",
    [
        (
            {"steps": (1, 2, 3)},
            "steps has 3 entries and learning_rates 2; expected one rate for each stage; make the",
        ),
        ({"learning_rates": (0.1,)}, "steps has 2 entries and learning_rates 1; expected one rate"),
        (
            {"steps": (), "learning_rates": ()},
            "steps is () and learning_rates (); expected a tuple",
        ),
        ({"steps": 900}, "steps is 900 and learning_rates (0.001, 0.0001); expected a tuple with"),
        ({"steps": (900, 0)}, "steps is (900, 0); expected whole numbers above 0; leave out a"),
        ({"steps": (900, 1.5)}, "steps is (900, 1.5); expected whole numbers above 0"),
        ({"learning_rates": (0.1, 0)}, "learning_rates is (0.1, 0); expected numbers above 0;"),
        ({"learning_rates": (0.1, math.nan)}, "learning_rates is (0.1, nan); expected numbers"),
        (
            {"architecture": "convv"},
            "There is no architecture 'convv'; choose one of single_fc, con",
        ),
        ({"optimizer": "adam"}, "There is no optimizer 'adam'; choose one of gradient_descent, mo"),
        ({"batch_size": 0}, "batch_size is 0; expected a whole number from 1 on; correct it."),
        ({"evaluate_every": 0}, "evaluate_every is 0; expected a whole number from 1 on"),
        ({"save_every": -5}, "save_every is -5; expected a whole number from 1 on"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0 on"),
        ({"seed": 0.5}, "seed is 0.5; expected a whole number from 0 on"),
        (
            {"label_smoothing": 1.0},
            "label_smoothing is 1.0 and weight_decay 0.0; expected a share from 0 to below 1,",
        ),
        (
            {"weight_decay": math.nan},
            "label_smoothing is 0.0 and weight_decay nan; expected a share",
        ),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(entries, sentence):
    with pytest.raises(ValueError) as caught:
        Recipe(**entries)
    assert str(caught.value).startswith(sentence)


class Slope(keras.losses.Loss):
    """One for each unit of the logit, so that a step of plain descent is as long as its rate."""

    def call(self, labels, logits):
        return logits[:, 0]


@pytest.mark.parametrize(
    "steps, rates", [((4,), (0.5,)), ((3, 2), (0.5, 0.25)), ((1, 3, 2), (0.25, 2.0, 0.5))]
)
def test_each_stage_has_its_steps_at_its_rate(tmp_path, steps, rates):
    recipe = Recipe(steps=steps, learning_rates=rates)
    table = keras.Input((1,))
    model = keras.Model(
        table, keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")(table)
    )
    loop = Loop(tmp_path, model, recipe.make_optimizer(), Slope(), {})
    weight = model.trainable_variables[0]
    places = []
    given = [(tf.ones((1, 1)), tf.ones((1, 1)))] * recipe.total_steps
    plan = Plan(recipe.total_steps, 1, save_every=99, evaluate_every=1)
    loop.run(given, plan, lambda: places.append(float(weight.numpy()[0, 0])) or {})
    expected = np.repeat(rates, steps)
    np.testing.assert_allclose(-np.diff(places, prepend=0.0), expected, rtol=1e-6)
    assert [entry["rate"] for entry in loop.history] == expected.tolist()


def test_each_optimizer_is_made():
    descent, momentum, adamw = (
        Recipe(optimizer=name, weight_decay=0.01).make_optimizer() for name in training._OPTIMIZERS
    )
    assert type(descent) is type(momentum) is keras.optimizers.SGD
    assert (descent.momentum, descent.nesterov) == (0, False)
    assert (momentum.momentum, momentum.nesterov) == (0.9, True)
    assert type(adamw) is keras.optimizers.AdamW and adamw.weight_decay == 0.01


def test_there_is_a_recipe_for_each_architecture():
    assert training.RECIPES.keys() == models.ARCHITECTURES.keys()
    assert all(recipe.architecture == name for name, recipe in training.RECIPES.items())
