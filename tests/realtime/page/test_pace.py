import numpy as np
import pytest

from realtime.page.pace import Pace


@pytest.mark.parametrize("line_s", [0.001, 0.04, 0.15])
@pytest.mark.parametrize("turn_s", [0.02, 0.06, 0.12])
def test_pictures_come_when_there_is_room(line_s, turn_s):
    """A lane that takes `turn_s` a picture, a line that takes `line_s` from question to picture, both uneven."""
    rng = np.random.default_rng(0)
    pace, early, idle_s, now = Pace(), [], 0.0, 0.0
    for _ in range(400):
        hold = pace.hold_s
        arrives, room = now + hold + line_s * rng.uniform(0.9, 1.1), now + turn_s * rng.uniform(0.9, 1.1)
        early.append(room - arrives)
        idle_s += max(arrives - room, 0)
        pace.came(room - arrives)
        now = max(room, arrives)
    settled = np.array(early[50:])
    if line_s < 0.7 * turn_s:  # otherwise the line is what limits, and nothing waits anyway
        assert 0 < np.median(settled) < 0.015 and idle_s / now < 0.05
    else:
        assert pace.hold_s < 0.02


def test_one_odd_picture_changes_little():
    pace = Pace()
    for _ in range(100):
        pace.came(0.030 - pace.hold_s)
    held = pace.hold_s
    pace.came(-60.0)
    assert 0 <= held - pace.hold_s <= 0.021
