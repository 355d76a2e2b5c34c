"""The patterns of the music: scales, rhythms, players, artists, effects."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
RATE = 22050
ROLES = (
    "chords", "strum", "pick", "power", "bass", "walk", "melody", "riff", "ostinato", "drone",
    "scatter", "cluster", "hands", "glitches",
)  # fmt: skip
EFFECTS = {
    "distort": 10, "lowpass": 1500, "delay": 0.4, "tremolo": 0.6, "chorus": 20,
    "sweep": 600, "pump": 0.7, "crush": 5, "ring": 200, "wow": 30, "gate": 0.8, "cut": 0.5,
    "backwards": 0.5, "noise": 20, "vinyl": 20, "saturate": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def music() -> SimpleNamespace:
    sys.path.insert(0, str(DATA))
    names = ("theory", "drums", "players", "artists", "effects", "genres", "names")
    return SimpleNamespace(
        **{name: importlib.import_module(f"synthesis.music.{name}") for name in names}
    )


@pytest.fixture(scope="module")
def song(music):
    scale = music.theory.SCALES["major"]
    chords = music.theory.degrees("1 5 6 4")
    return music.theory.Song(8, 120, 16, 0.0, 0.0, 60, scale, chords)


def every_style(music):
    return [(genre, style) for genre, styles in music.genres.STYLES.items() for style in styles]


def test_the_grid_of_a_song(music, song):
    assert song.step_s == 0.125 and song.beat_s == 0.5 and song.total_steps == 64
    assert [song.degree(step) for step in (0, 15, 16, 32, 48)] == [0, 0, 4, 5, 3]
    assert song.chord(0) == [60, 64, 67] and song.chord(16) == [67, 71, 74]
    assert song.key(-1) == 59 and song.key(7) == 72
    assert song.time(6, np.random.default_rng(0)) == 0.75


def test_chords_are_voiced_near_their_centre(music, song):
    for centre in (36, 61, 84.5):
        keys = music.theory.voiced(song.chord(16), centre)
        assert keys == sorted(keys) and all(abs(key - centre) <= 6 for key in keys)
        assert {key % 12 for key in keys} == {7, 11, 2}


def test_strokes_last_until_the_next(music, song):
    found = music.theory.hits(song, "X..o....")
    assert found[:3] == [(0, 3, 112), (3, 5, 64), (8, 3, 112)] and len(found) == 16
    assert sum(length for _, length, _ in found) == song.total_steps
    with pytest.raises(ValueError, match="X, x, o and dots"):
        music.theory.hits(song, "X-x-")


def test_all_names_in_the_tables_exist(music):
    styles = every_style(music)
    assert len({style.name for _, style in styles}) == len(styles)
    for _, style in styles:
        assert set(style.scales) <= set(music.theory.SCALES)
        assert set(style.drums) <= set(music.drums.PATTERNS)
        used = {name for layer in style.layers for name in layer.effects} | set(style.effects)
        assert used <= set(music.effects.EFFECTS)
        assert {layer.role for layer in style.layers} <= set(music.players.ROLES)
        for layer in style.layers:
            assert all(0 <= program <= 127 for program in layer.programs)
            assert all(set(rhythm) <= set("Xxo.") for rhythm in layer.rhythms)
        low, high = style.tempo
        assert 40 <= low < high <= 200
    assert set(music.drums.PATTERNS) == {name for _, style in styles for name in style.drums}
    for pattern in music.drums.PATTERNS.values():
        assert set(pattern) <= set(music.drums.KEYS)
        assert all(set(rhythm) <= set("Xxo.") for rhythm in pattern.values())


def test_every_genre_is_described_and_has_several_styles(music):
    assert list(music.genres.STYLES) == sorted(music.genres.STYLES)
    for genre, styles in music.genres.STYLES.items():
        module = importlib.import_module(
            f"synthesis.music.genres.{genre.lower().replace('-', '_')}"
        )
        assert module.__doc__.startswith(f"{genre}: ") and len(module.__doc__) > 150
        assert module.STYLES is styles and len(styles) >= 5


def test_the_list_of_roles_and_effects_here_is_complete(music):
    assert set(ROLES) == set(music.players.ROLES) and set(EFFECTS) == set(music.effects.EFFECTS)


@pytest.mark.parametrize("role", ROLES)
def test_players_play_within_the_song_and_again_the_same(music, song, role):
    part = music.players.Part(role, 0, "X.x.o.x.", 60, 0.8, 0.8, 0.6)
    play = music.players.ROLES[role]
    notes, again, other = (play(song, part, np.random.default_rng(s)) for s in (1, 1, 2))
    assert notes == again != other
    assert len(notes) > 3 and all(0 <= note.start_s < song.seconds + 0.7 for note in notes)
    if role not in ("scatter", "glitches", "cluster"):  # the others keep to the scale
        # Power chords and drones add a fifth, which on the seventh degree leaves it.
        outside = {note.key % 12 for note in notes} - {key % 12 for key in song.scale}
        assert outside <= ({6} if role in ("power", "drone", "bass") else set())


def test_a_melody_returns(music, song):
    part = music.players.Part("melody", 0, "X", 72, 0.8, 0.5, 0.7)
    notes = music.players.melody(song, part, np.random.default_rng(3))
    bars = [[n.start_s % 4 for n in notes if 4 * k <= n.start_s < 4 * k + 4] for k in (0, 1)]
    assert bars[0] == pytest.approx(bars[1]) and len(bars[0]) > 3


def test_drums_keep_their_pattern(music, song):
    rng = np.random.default_rng(0)
    notes = music.drums.play(song, music.drums.PATTERNS["house"], 0.0, rng)
    kicks = [note.start_s for note in notes if note.key == music.drums.KEYS["kick"]]
    assert kicks == [k / 2 for k in range(16)] and {note.channel for note in notes} == {9}
    busy = music.drums.varied({"hat": "x" + "." * 999}, 0.2, rng)["hat"]
    assert busy[0] == "x" and 100 < busy.count("o") < 300


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_effects_keep_the_length_and_change_the_sound(music, song, name):
    rng = np.random.default_rng(0)
    time = np.arange(4 * RATE) / RATE
    sound = 0.2 * np.sin(2 * np.pi * 330 * time) + 0.1 * np.sin(2 * np.pi * 2500 * time**1.1)
    effect = music.effects.EFFECTS[name]
    for x in (sound, np.zeros(4 * RATE)):
        y = effect(x, RATE, EFFECTS[name], song, rng)
        assert y.shape == x.shape and np.isfinite(y).all() and np.abs(y).max() < 2
    changed = effect(sound, RATE, EFFECTS[name], song, np.random.default_rng(1))
    again = effect(sound, RATE, EFFECTS[name], song, np.random.default_rng(1))
    np.testing.assert_array_equal(changed, again)
    assert np.abs(changed - sound).max() > 0.01


def test_an_artist_depends_on_the_number_alone(music):
    genre, style = every_style(music)[7]
    first, again, other = (music.artists.artist(n, genre, style, 1) for n in (5, 5, 6))
    assert first == again != other


def test_some_artists_borrow_from_neighbours_and_only_from_them(music):
    style = music.genres.STYLES["Pop"][1]
    lenders = [music.artists.artist(n, "Pop", style, 1).borrowed for n in range(200)]
    assert set(lenders) == {"", *music.artists.NEIGHBOURS["Pop"]}
    expected = 200 * music.artists.BORROWERS
    assert 0.6 * expected < sum(map(bool, lenders)) < 1.4 * expected


def test_songs_of_an_artist_are_alike(music):
    genre, style = every_style(music)[0]
    artist = music.artists.artist(9, genre, style, 1)
    rng = np.random.default_rng(0)
    songs = [music.artists.song(artist, 10, rng) for _ in range(50)]
    assert {song.tonic for song in songs} == set(artist.tonics)
    tempi = np.array([song.tempo for song in songs])
    assert tempi.std() < 0.08 * artist.tempo and tempi.std() > 0
    assert len({(song.tempo, song.progression, song.scale) for song in songs}) == 50


def test_names_are_different_words(music):
    found = music.names.names(500, np.random.default_rng(0))
    assert len(set(found)) == 500 and all(len(name.split()) == 2 for name in found)
