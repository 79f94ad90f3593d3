"""When to ask a visitor for the next picture: late, so that it is fresh when its turn comes, but not too late."""

from __future__ import annotations

TARGET_S = 0.006  # by so much a picture should be early: less, and the first lane stands idle now and then
GAIN = 0.2
LARGEST_S = 0.1  # one odd picture may not say more than this


class Pace:
    """Learns from how early or late pictures came. It needs no model of network and stages, and follows their changes.

    hold_s: how long after the work on a picture began the next one is asked for.
    """

    def __init__(self, target_s: float = TARGET_S, gain: float = GAIN):
        self.target_s, self.gain = target_s, gain
        self.hold_s = 0.0

    def came(self, early_s: float) -> float:
        """A picture came `early_s` seconds before there was room for it (negative: after). The new `hold_s`."""
        surprise = min(max(early_s - self.target_s, -LARGEST_S), LARGEST_S)
        self.hold_s = min(max(self.hold_s + self.gain * surprise, 0.0), 1.0)
        return self.hold_s
