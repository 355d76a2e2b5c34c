"""TensorBoard in a notebook: it serves what was written, and says when nothing was."""

import json
import re
import time
import urllib.request

import pytest

from course_utils.widgets import tensorboard


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    folder = tmp_path_factory.mktemp("logs")
    writer = EventFileWriter(str(folder))
    value = summary_pb2.Summary.Value(tag="loss", simple_value=0.25)
    writer.add_event(
        event_pb2.Event(wall_time=1.0, step=3, summary=summary_pb2.Summary(value=[value]))
    )
    writer.close()
    return folder


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read()


def test_the_frame_shows_the_curves(logs):
    frame = tensorboard.show(logs, height=432)
    address = re.search('data="(http://127.0.0.1:[0-9]+/)"', frame.data)[1]
    assert 'height="432"' in frame.data
    assert "once this cell is run" in frame.data  # what GitHub shows, which takes the tags away
    assert b"TensorBoard" in fetch(address)
    tags = {}
    for _ in range(50):  # it reads the files in the background
        tags = json.loads(fetch(f"{address}data/plugin/scalars/tags"))
        if tags:
            break
        time.sleep(0.2)
    assert list(tags["."]) == ["loss"]


def test_two_boards_do_not_disturb_each_other(logs):
    first, second = (tensorboard.show(logs).data for _ in range(2))
    assert first != second


def test_a_folder_without_logs_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"There are no TensorBoard logs in .*; train first"):
        tensorboard.show(tmp_path)
