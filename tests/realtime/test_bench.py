import json

import cv2
import numpy as np
import pytest

from realtime.bench import chart, results, table, write_results
from realtime.errors import SinkError
from realtime.meter import Meter


@pytest.fixture
def timing():
    now = [0.0]
    meter = Meter(lambda: now[0])
    for frame in range(100):
        captured, now[0] = now[0], now[0] + 0.04
        meter.record("landmarks", 0.002)
        meter.record("generate", 0.010 if frame < 90 else 0.030)
        meter.finish_frame(captured)
    return meter.timing()


def test_the_table_is_of_fixed_width_and_says_medians_and_p95(timing):
    lines = table(timing).splitlines()
    assert len({len(line) for line in lines[:-1]}) == 1
    row = next(line for line in lines if line.startswith("generate"))
    assert [float(cell) for cell in row.split("|")[1:]] == [10.0, 30.0]
    assert lines[-1] == "100 frames, 25.0 fps"


def test_both_files_are_written_and_can_be_read(timing, tmp_path):
    paths = write_results(tmp_path / "new", timing, results(timing, "clip.mp4", {"landmarks": "cpu"}, "software"))
    found = json.loads(paths[0].read_text())
    assert found["fps"] == 25.0 and found["latency_ms"] == {"median": 40.0, "p95": 40.0}
    assert found["stages"]["generate"] == {"median": 10.0, "p95": 30.0} and found["machine"]["cores"] >= 1
    assert cv2.imread(str(paths[1])).shape[1] == 960


def test_bars_are_as_long_as_what_they_show(timing):
    picture = chart(timing)
    generate = picture[70 + 34 + 5]  # the row of the second stage
    pale = (generate != 255).any(1).sum()
    assert 550 <= pale <= 575  # the longest bar fills its column
    blue = picture[70 + 5]
    assert (blue != 255).any(1).sum() == pytest.approx(570 * 2 / 30, abs=3)


def test_a_folder_that_cannot_be_made_is_one_clear_line(timing, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write the measurements"):
        write_results(tmp_path / "file" / "sub", timing, {})
    assert np.isfinite(timing.fps)
