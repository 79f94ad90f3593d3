"""A clip played at its own speed."""

from realtime.sources import open_source
from realtime.sources.paced import Paced
from tests.realtime.clips import write_clip


def test_frames_come_at_their_times(tmp_path):
    now = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    source = Paced(open_source(str(write_clip(tmp_path / "clip.mp4"))), clock=lambda: now, sleep=sleep)
    assert source.properties.live
    late = []
    for frame in source.frames():
        late.append(now - 100.0 - frame.time_s)
        if frame.index == 10:
            now += 0.05  # somebody was slow: the next frames come at once
    assert max(abs(value) for value in late[:11]) < 1e-9
    assert 0.0 <= max(late[11:]) <= 0.05
    source.close()
