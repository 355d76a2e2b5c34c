"""The shipped fma_mini through the door that learners use."""

import numpy as np
import pytest
import soundfile

from course_utils.datasets import cards, genres


@pytest.fixture(scope="module")
def tracks() -> genres.Tracks:
    return genres.open()


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    return cards.load("fma_mini").counts


def test_nothing_is_left_out(tracks):
    assert tracks.skipped == {} and len(tracks) == tracks.listed
    assert "Skipped" not in str(tracks.summary())


def test_there_is_what_the_card_says(tracks, counts):
    assert len(tracks) == counts["tracks"] and len(set(tracks.artists)) == counts["artists"]
    assert tracks.labels == genres.GENRES and len(tracks.labels) == counts["genres"]
    for part in genres.PARTS:
        assert len(tracks.part(part)) == counts[part]


def test_every_genre_has_enough_tracks_and_artists(tracks):
    for genre in tracks.labels:
        artists = [each.artist for each in tracks if each.genre == genre]
        assert len(artists) >= 24 and len(set(artists)) >= 6


def test_no_artist_is_in_two_parts_unless_the_split_is_shuffled(tracks):
    assert tracks.shared_artists() == set()
    assert len(tracks.shuffled_parts(0).shared_artists()) > len(set(tracks.artists)) / 2


def test_a_track_is_heard(tracks):
    for each in tracks.tracks[:: len(tracks) // 8]:
        samples, rate = each.load()
        assert samples.dtype == np.float32 and samples.ndim == 1 and len(samples) >= 3 * rate
        assert 0.05 < np.abs(samples).max() <= 1 and each.credit
        header = soundfile.info(each.path)
        assert (header.format, header.subtype) == ("MP3", "MPEG_LAYER_III")


@pytest.mark.slow
def test_everything_can_be_decoded(tracks):
    assert genres.readable(tracks, show_progress=False) == tracks
