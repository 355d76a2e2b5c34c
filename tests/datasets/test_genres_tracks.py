"""Sets of tracks: parts, labels, the artist filter, and the two ways of shuffling."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets.genres import PARTS, Track, Tracks

LABELS = ("Folk", "Pop", "Rock")


def track(number: int, genre: str, artist: str, part: str) -> Track:
    return Track(f"{number:06d}", Path(f"{number}.mp3"), genre, artist, part)


def tracks_of(artists: int, each: int = 4) -> Tracks:
    """For each genre some artists, the first two of them for validation and testing."""
    made = []
    for genre in LABELS:
        for artist in range(artists):
            part = ("validation", "testing", "training")[min(artist, 2)]
            for _ in range(each):
                made.append(track(len(made), genre, f"{genre} {artist}", part))
    return Tracks("some", LABELS, tuple(made), {"x": "is gone"}, ("A note.",), listed=99)


def counted(tracks: Tracks) -> Counter:
    return Counter((each.part, each.genre) for each in tracks)


def test_a_set_is_a_sequence():
    tracks = tracks_of(4)
    assert len(tracks) == 48 and list(tracks) == list(tracks.tracks)
    assert tracks[0].track_id == tracks.ids[0] == "000000" and tracks[-1] is tracks.tracks[-1]
    assert tracks.artists[4] == "Folk 1" and list(tracks.classes[[0, 16, 47]]) == [0, 1, 2]
    assert repr(tracks) == "Tracks(some: 48 tracks, 3 genres)"


def test_parts_keep_the_class_numbers_and_know_the_whole():
    tracks = tracks_of(4)
    assert sum(len(tracks.part(part)) for part in PARTS) == len(tracks)
    testing = tracks.part("testing")
    assert {each.part for each in testing} == {"testing"} and testing.labels == LABELS
    assert list(testing.classes) == [0] * 4 + [1] * 4 + [2] * 4
    said = str(testing.summary()).splitlines()
    assert said[0] == "some: 12 tracks by 3 artists."
    assert "Selected from the 48 tracks that are there." in said
    assert "48 of the 99 listed tracks can be used." in said
    with pytest.raises(ValueError, match=r"^There is no part 'test' in some: choose one of train"):
        tracks.part("test")
    with pytest.raises(ValueError, match=r"^No track of some is left; expected at least one;"):
        testing.part("training")


def test_artists_in_two_parts_are_found_and_named():
    good = tracks_of(4)
    good.check_artists()
    assert good.shared_artists() == set()
    tracks = Tracks("x", LABELS, tuple(track(n, "Pop", "me", PARTS[n % 2]) for n in range(14)))
    assert tracks.shared_artists() == {"me"}
    said = r"^The artist 'me' of x is in training \(000000, .*000008, …\) and validation \(000001,"
    with pytest.raises(ValueError, match=said):
        tracks.check_artists()
    more = tuple(track(n, "Pop", f"you {n % 3}", PARTS[n % 2]) for n in range(14, 20))
    with pytest.raises(ValueError, match=", and 3 more artists are in several parts, too: every"):
        Tracks("x", LABELS, tracks.tracks + more).check_artists()


def test_a_genre_that_is_absent_from_a_part():
    tracks = tracks_of(4)
    tracks.check_genres()
    tracks.part("testing").check_genres(["testing"])
    lacking = [t for t in tracks if (t.part, t.genre) not in {("validation", "Pop")}]
    said = r"^There is no validation track of Pop in some \(44 tracks\): every genre was expected"
    with pytest.raises(ValueError, match=said):
        Tracks("some", LABELS, tuple(lacking)).check_genres()


@given(st.integers(3, 8), st.integers(0, 2**32))
def test_shuffled_parts_keep_their_sizes_and_everything_else(artists, seed):
    tracks = tracks_of(artists)
    leaky = tracks.shuffled_parts(seed)
    assert counted(leaky) == counted(tracks) and leaky == tracks.shuffled_parts(seed)
    for was, now in zip(tracks, leaky, strict=True):
        assert (was.track_id, was.genre, was.artist, was.path) == (
            *(now.track_id, now.genre, now.artist, now.path),
        )


def test_shuffled_parts_share_artists_and_the_summary_says_so():
    tracks = tracks_of(6)
    leaky = tracks.shuffled_parts(1)
    assert len(leaky.shared_artists()) > 9
    assert leaky.tracks != tracks.shuffled_parts(2).tracks
    said = str(leaky.summary())
    assert f"{len(leaky.shared_artists())} artists are in more than one." in said
    assert "Parts drawn at random over tracks, seed 1." in said and "A note." not in said
    with pytest.raises(ValueError, match="more artists are in several parts, too"):
        leaky.check_artists()


@given(st.integers(3, 8), st.integers(0, 2**32))
def test_shuffled_labels_keep_their_numbers_and_everything_else(artists, seed):
    tracks = tracks_of(artists)
    control = tracks.with_shuffled_labels(seed)
    assert counted(control) == counted(tracks) and control == tracks.with_shuffled_labels(seed)
    assert [(e.track_id, e.artist, e.part) for e in control] == [
        (e.track_id, e.artist, e.part) for e in tracks
    ]
    control.check_artists()


def test_shuffled_labels_agree_with_the_true_ones_by_chance_only():
    tracks = tracks_of(200)
    agreed = (tracks.classes == tracks.with_shuffled_labels(3).classes).mean()
    assert tracks.with_shuffled_labels(3).tracks != tracks.with_shuffled_labels(4).tracks
    assert abs(agreed - 1 / 3) < 0.04  # three standard deviations of 2,400 draws
    assert "Genres shuffled in each part, seed 3." in str(tracks.with_shuffled_labels(3).summary())


def test_the_summary_counts_and_names():
    skipped = {f"{n}": f"is too short ({n}.00 s of 3 s)" for n in range(7)}
    tracks = Tracks("mine", LABELS, tracks_of(4).tracks, skipped)
    assert str(tracks.summary()).splitlines() == [
        "mine: 48 tracks by 12 artists.",
        "Genres: Folk 16, Pop 16, Rock 16.",
        "Parts: training 24, validation 12, testing 12; no artist is in more than one.",
        "Skipped 7 (each is too short): 0, 1, 2, 3, 4, ….",
    ]
    assert tracks.summary().counts["testing"] == {"Folk": 4, "Pop": 4, "Rock": 4}


def test_thinned_keeps_the_parts_in_proportion_and_tracks_as_they_are():
    tracks = tracks_of(6)  # for each genre 4, 4 and 16 tracks in the parts
    few = tracks.thinned(12, seed=0)
    assert set(counted(few).values()) == {2, 8} and len(few) == 36
    assert set(few.tracks) < set(tracks.tracks) and few.labels == LABELS
    assert few == tracks.thinned(12, seed=0) and few.tracks != tracks.thinned(12, seed=1).tracks
    assert tracks.thinned(1000, seed=0).tracks == tracks.tracks
    assert few.part("testing").thinned(1, seed=0).ids


@pytest.mark.parametrize(
    ("per_genre", "sentence"), [(0, "per_genre is 0; expected at least 1"), (1, "no validation")]
)
def test_thinned_refuses_to_lose_a_genre(per_genre, sentence):
    with pytest.raises(ValueError, match=sentence):
        tracks_of(6).thinned(per_genre, seed=0)
