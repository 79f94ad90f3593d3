"""One person's eyes over time: how far open each is, and where both look. Radians in the head's axes, seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from realtime.face.drive import Eye, Look
from realtime.smoothing import OneEuro, OneEuroSettings

LEFT, RIGHT = 0, 1
TURN, ASIDE = math.radians(30), math.radians(20)  # what `turned` and `averted` are measured by
FILMED = 0.6, 0.95  # share of an eye that was filmed, where its lids begin to be believed, and where they are fully
FILMED_LIDS = 0.2, 0.5  # the same where the lids were looked at, which takes less of an eye than its iris
FARTHEST = np.radians([45.0, 35.0])  # across and down: eyes turn no further
GAZE = OneEuroSettings(min_cutoff=3.0, beta=12.0, derivative_cutoff=4.0)  # radians per second: a saccade passes at once


@dataclass(frozen=True, slots=True)
class EyeSettings:
    """closed, open: share of the person's usual iris strength at which an eye counts as shut, and as fully open.

    usual: share of frames in which the eyes are less open than their usual strength. weakest: least usual strength;
    first: the same in the first picture, which may show closed eyes.
    learn_s: time constant with which the usual strength is followed, the first second of a track much faster.
    turned: how much of its strength the eye that is turned away has lost at 30 degrees; averted: the same of an eye
    that looks 20 degrees away from where it rests.
    rest_s: time constant of the resting gaze, where the eyes are most of the time; most_rest: its bound, radians.
    shut, wide: the lids' gap over the person's usual one at which an eye counts as shut, and as fully open.
    usual_gap: share of frames in which the lids are closer than usual. narrowest, first_gap: least usual gap, and the
    same in the first picture.
    apart: radians; eyes that seem to look farther apart than this do not: what was found in one of them is no iris.
    pair_s: time constant of how far apart this person's eyes usually seem to look.
    """

    closed: float = 0.22
    open: float = 0.58
    usual: float = 0.6
    weakest: float = 0.045
    first: float = 0.08
    learn_s: float = 8.0
    turned: float = 0.45
    averted: float = 0.25
    shut: float = 0.33
    wide: float = 0.75
    usual_gap: float = 0.6
    narrowest: float = 0.17
    first_gap: float = 0.22
    rest_s: float = 15.0
    most_rest: float = float(np.radians(9))
    apart: float = float(np.radians(40))
    pair_s: float = 2.0


class Eyes:
    """State of one track."""

    def __init__(self, settings: EyeSettings | None = None):
        self.settings = settings or EyeSettings()
        self.rest = np.zeros(2)  # yaw, pitch at which the person looks straight ahead
        self._pair: np.ndarray | None = None  # (2, 2) where each eye usually looks, from where both do
        self._level = np.zeros(2)  # usual strength of the left and the right iris
        self._gap = 0.0  # usual gap between the lids of either eye
        self._age_s = 0.0
        self._gaze = np.zeros(2)
        self._filter = OneEuro(GAZE)

    def take(self, looks: tuple[Look, Look], head_yaw: float, dt: float, smooth: float, adapt: bool) -> tuple[Eye, Eye]:
        """(left, right) looks -> (left, right) eyes. dt: seconds since the last, 0 for a new start.

        Both eyes look where their mean does: what parts them is smaller than what can be measured. adapt: follow where
        the eyes rest.
        """
        looks = self._agreeing(self._paired(looks))
        filmed = FILMED if math.isnan(looks[LEFT].gap) else FILMED_LIDS
        opening = together(looks, [self._opening(side, looks[side], head_yaw, dt) for side in (LEFT, RIGHT)], filmed)
        self._learn_gap(looks, head_yaw, dt)
        self._age_s += dt
        sure = np.array([look.visible * min(2 * o, 1.0) for look, o in zip(looks, opening, strict=True)])
        if sure.sum() > 0.2:
            seen = sure @ np.stack([look.direction for look in looks]) / sure.sum()
            self._learn_pair(looks, float(sure.min()), dt)
            if adapt:
                self._settle(seen, head_yaw, dt, float(sure.max()))
            self._filter.settings = GAZE.slowed(smooth)
            self._gaze = self._filter(np.clip(seen - self.rest, -FARTHEST, FARTHEST), dt)
        yaw, pitch = (float(angle) for angle in self._gaze)
        left, right = (Eye(yaw, pitch, float(o), float(s)) for o, s in zip(opening, sure, strict=True))
        return left, right

    def look_ahead(self, looks: tuple[Look, Look]) -> np.ndarray | None:
        """(2,) where the eyes look, before the rest is taken off; None where neither is seen."""
        looks = self._paired(looks)
        sure = np.array([look.visible for look in looks])
        return sure @ np.stack([look.direction for look in looks]) / sure.sum() if sure.sum() > 0.2 else None

    def _paired(self, looks: tuple[Look, Look]) -> tuple[Look, Look]:
        """The looks without what usually parts them, so that one eye alone tells where both look."""
        if self._pair is None:
            both = np.stack([look.direction for look in looks])
            self._pair = both - both.mean(0) if min(look.visible for look in looks) > 0.3 else np.zeros((2, 2))
        own_left, own_right = self._pair
        left, right = looks
        return (
            replace(left, direction=left.direction - own_left),
            replace(right, direction=right.direction - own_right),
        )

    def _learn_pair(self, looks: tuple[Look, Look], sure: float, dt: float) -> None:
        assert self._pair is not None
        both = np.stack([look.direction for look in looks])
        self._pair = self._pair + sure * min(dt / self.settings.pair_s, 0.5) * (both - both.mean(0))

    def _agreeing(self, looks: tuple[Look, Look]) -> tuple[Look, Look]:
        """The looks; of two that cannot belong to one person the less likely one is taken for a closed eye's."""
        left, right = looks
        apart = math.hypot(*(left.direction - right.direction))
        if apart < self.settings.apart or min(left.visible, right.visible) < 0.3:
            return looks
        before = self._gaze + self.rest
        strange = [math.hypot(*(look.direction - before)) for look in looks]
        doubt = [angle - looks[side].strength / self._usual(side) for side, angle in enumerate(strange)]
        wrong = int(np.argmax(doubt))
        closed = replace(looks[wrong], direction=looks[1 - wrong].direction, strength=0.5 * looks[wrong].strength)
        return (closed, right) if wrong == LEFT else (left, closed)

    def _usual(self, side: int) -> float:
        """How strong the iris of an open eye is in this light."""
        return max(self._level[side], 0.5 * self._level[1 - side], self.settings.weakest)

    def _opening(self, side: int, look: Look, head_yaw: float, dt: float) -> float:
        """0..1, from the lids where they were looked at, else from how much of the iris shows."""
        by_iris = self._open(side, look, head_yaw, dt)
        if math.isnan(look.gap) or look.visible <= FILMED_LIDS[0]:
            return by_iris
        usual = max(self._gap, self.settings.narrowest) if self._gap else max(look.gap, self.settings.first_gap)
        share = look.gap * math.cos(head_yaw) / usual
        return _share((share - self.settings.shut) / (self.settings.wide - self.settings.shut))

    def _learn_gap(self, looks: tuple[Look, Look], head_yaw: float, dt: float) -> None:
        """Follow a quantile of the wider eye's gap: a wink or a blink does not teach that eyes are narrow."""
        filmed = [look.gap for look in looks if look.visible > FILMED_LIDS[1] and not math.isnan(look.gap)]
        if not filmed:
            return
        seen = max(filmed) * math.cos(head_yaw)
        if not self._gap:
            self._gap = max(seen, self.settings.first_gap)
        self._gap *= _quantile_step(seen / self._gap, self.settings.usual_gap, self.settings.shut, self._tempo(dt))

    def _tempo(self, dt: float) -> float:
        return min(dt / (0.15 if self._age_s < 1.0 else self.settings.learn_s), 0.5)

    def _open(self, side: int, look: Look, head_yaw: float, dt: float) -> float:
        """0..1; 1 where the eye cannot be seen."""
        if look.visible < 0.3:
            return 1.0
        settings = self.settings
        away = head_yaw if side == LEFT else -head_yaw  # positive: this eye is the far one
        lost = settings.turned * min(abs(head_yaw) / TURN, 1.5) * (1.0 if away > 0 else 0.4)
        averted = math.hypot(*(look.direction - self.rest)) / ASIDE
        kept = (1 - lost) * (1 - settings.averted * min(averted, 1.2))
        if self._level[side] == 0:
            self._level[side] = max(look.strength / kept, settings.first)
        share = look.strength / self._usual(side)
        share += max(share - settings.closed, 0.0) * (1 / kept - 1)  # what a closed eye shows has lost nothing
        if look.visible > FILMED[0]:
            self._learn(side, share * self._usual(side), dt)
        return _share((share - settings.closed) / (settings.open - settings.closed))

    def _learn(self, side: int, strength: float, dt: float) -> None:
        """Follow a quantile of the strength, so that blinks do not pull it down nor glints up."""
        share = strength / max(self._level[side], 1e-6)
        up = self.settings.usual if self._age_s >= 1.0 else 0.8
        self._level[side] *= _quantile_step(share, up, self.settings.closed, self._tempo(dt))

    def _settle(self, seen: np.ndarray, head_yaw: float, dt: float, sure: float) -> None:
        if abs(head_yaw) > np.radians(12):
            return
        tempo = self.settings.rest_s if self._age_s > 3.0 else 1.5
        most = self.settings.most_rest
        self.rest = np.clip(self.rest + sure * min(dt / tempo, 1.0) * (seen - self.rest), -most, most)


def _quantile_step(share: float, up: float, closed: float, rate: float) -> float:
    """Factor on a level that follows the quantile `up` of what is seen, `share` of the level. Shut eyes are hardly a
    reason to expect less."""
    if share < closed * 1.5:
        rate *= 0.1
    step = up if share > 1 else -(1 - up)
    return math.exp(rate * step * min(abs(math.log(max(share, 1e-3))) * 4, 1.0))


def together(
    looks: tuple[Look, Look], opening: list[float], filmed: tuple[float, float] = FILMED
) -> list[float]:
    """Openings of both eyes: an eye that was repainted in part goes with the other, as far as that one was filmed."""
    least, most = filmed
    left, right = (_share((look.visible - least) / (most - least)) for look in looks)
    own, other = opening
    return [own + (1 - left) * right * (other - own), other + (1 - right) * left * (own - other)]


def look_weights(left: Eye, right: Eye) -> dict[str, float]:
    """The eight eyeLook shapes and both blinks, 0..1, of two eyes."""
    weights = {}
    for side, eye, outward in (("Left", left, 1.0), ("Right", right, -1.0)):
        out = outward * eye.yaw / FULL_ACROSS
        weights[f"eyeLookOut{side}"], weights[f"eyeLookIn{side}"] = _share(out), _share(-out)
        weights[f"eyeLookDown{side}"] = _share(eye.pitch / FULL_DOWN)
        weights[f"eyeLookUp{side}"] = _share(-eye.pitch / FULL_UP)
        weights[f"eyeBlink{side}"] = 1.0 - eye.opening
    return weights


# how far the model's eyes turn at weight 1
FULL_ACROSS, FULL_DOWN, FULL_UP = (float(np.radians(angle)) for angle in (32.0, 30.0, 25.0))


def _share(weight: float) -> float:
    return min(max(float(weight), 0.0), 1.0)
