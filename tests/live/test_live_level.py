"""Levels in dBFS, and a floor that belongs to the room."""

import math

import numpy as np
import pytest
from small_streams import noise

from course_utils.live.level import SILENCE_DB, Meter, level_db

RATE = 8000


def heard(*sounds, chunk=800):
    meter, floors = Meter(RATE), []
    for sound in sounds:
        for start in range(0, len(sound), chunk):
            meter.push(sound[start : start + chunk])
            floors.append(meter.floor_db)
    return meter, floors


def room(seconds, db, seed=0):
    return noise(seconds, 10 ** (db / 20), RATE, seed)


def test_levels_are_decibels_below_full_scale():
    square = np.tile(np.float32([1, -1]), 400)
    assert level_db(square) == 0 and level_db(square / 10) == pytest.approx(-20, abs=1e-5)
    sine = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE).astype(np.float32)
    assert level_db(sine) == pytest.approx(-3.01, abs=0.01)
    assert level_db(np.zeros(10, np.float32)) == level_db(np.zeros(0, np.float32)) == SILENCE_DB


def test_a_constant_is_not_heard():
    """Cheap microphones add one; it would cover the room."""
    sound = room(10, -60)
    assert level_db(sound + np.float32(0.25)) == pytest.approx(-60, abs=0.5)
    plain, shifted = heard(sound)[0], heard(sound + np.float32(0.25))[0]
    assert shifted.floor_db == pytest.approx(plain.floor_db, abs=0.1)


@pytest.mark.parametrize("db", [-70, -40, -10])
def test_the_floor_of_a_room_is_its_level(db):
    assert heard(room(10, db))[0].floor_db == pytest.approx(db, abs=1)


def test_digital_silence_has_a_finite_floor():
    meter, floors = heard(np.zeros(10 * RATE, np.float32))
    assert set(floors) == {SILENCE_DB} and meter.rise_db(10) == 0
    meter, _ = heard(np.zeros(10 * RATE, np.float32), room(0.5, -30))
    assert meter.rise_db(10.5) == pytest.approx(90, abs=1)


def test_before_anything_is_heard_the_floor_is_finite():
    assert math.isfinite(Meter(RATE).floor_db)


def test_the_floor_follows_a_change_of_room_in_some_seconds():
    _, floors = heard(room(10, -60), room(10, -35), room(10, -60))
    assert floors[99] == pytest.approx(-60, abs=1)
    assert floors[100 + 40] == pytest.approx(-60, abs=1)  # a noise of four seconds is an event
    assert floors[100 + 50] == pytest.approx(-35, abs=1)
    assert floors[200 + 10] == pytest.approx(-60, abs=1)  # relief is believed sooner


def test_speech_does_not_pull_the_floor_up():
    """Syllables, four a second, with words and breaths between them, for a minute."""
    time_s = np.arange(60 * RATE) / RATE
    syllables = np.sin(2 * np.pi * 2 * time_s) ** 2 * (np.sin(2 * np.pi * 0.4 * time_s) > -0.8)
    talk = (room(60, -20, seed=1) * syllables + room(60, -55)).astype(np.float32)
    meter, floors = heard(talk)
    assert level_db(talk) > -27
    assert np.abs(np.array(floors[50:]) + 55).max() < 3
    assert meter.rise_db(60) > 25


def test_a_rise_is_that_of_the_last_second():
    meter, _ = heard(room(8, -50), room(0.2, -20, seed=1), room(3, -50, seed=2))
    assert meter.rise_db(8) < 3
    assert meter.rise_db(8.2) == pytest.approx(30, abs=1.5)
    assert meter.rise_db(9) == pytest.approx(30, abs=1.5)
    assert meter.rise_db(9.3) < 3 and meter.rise_db(11.2) < 3


def test_a_rise_is_one_above_the_floor_of_then():
    meter, _ = heard(room(5, -60), room(5, -30))
    assert meter.rise_db(5.5) == pytest.approx(30, abs=1.5) and meter.rise_db(10) < 3


def test_the_beginning_is_given_the_benefit_of_the_doubt():
    meter, _ = heard(room(0.9, -50))
    assert meter.rise_db(0.9) == math.inf
    meter, _ = heard(room(2, -50))
    assert meter.rise_db(0.5) == math.inf and meter.rise_db(2) < 3


def test_how_it_is_cut_changes_nothing():
    sound = np.concatenate([room(4, -50), room(1, -20), room(3, -50)])
    whole = heard(sound, chunk=len(sound))[0]
    for chunk in (1, 37, 400, 5000):
        meter, _ = heard(sound[: 4 * RATE] if chunk == 1 else sound, chunk=chunk)
        if chunk > 1:
            assert meter.floor_db == whole.floor_db and meter.rise_db(5) == whole.rise_db(5)
        assert meter.rise_db(3) == whole.rise_db(3)


def test_what_is_skipped_takes_time_and_says_nothing():
    meter, _ = heard(room(8, -50))
    meter.push(room(0.02, -20))  # not yet a block, and never one
    meter.skip(10 * RATE)
    assert meter.floor_db == pytest.approx(-50, abs=1) and meter.rise_db(18) == math.inf
    meter.push(room(0.1, -20))  # blocks that end at 18.07 and 18.12 s
    assert meter.rise_db(18.06) == math.inf and meter.rise_db(18.08) == pytest.approx(30, abs=1.5)


def test_it_keeps_ten_seconds():
    meter, _ = heard(room(60, -50))
    assert len(meter._blocks) == 200
