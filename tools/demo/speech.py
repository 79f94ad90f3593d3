"""What the demo's actor says: vowels as mouth shapes and as sound, from one list of syllables.

The sound is a source and a filter (Fant 1960): harmonics of a falling pitch, weighted by the vowel's formants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SOUND_RATE = 44100
RISE_S, FALL_S = 0.05, 0.09  # how a syllable begins and ends
BANDWIDTHS_HZ = np.array([80.0, 110.0, 170.0])
HIGHEST_HZ = 5000.0


@dataclass(frozen=True)
class Vowel:
    """mouth: ARKit weights at full voice. formants: (3,) Hz (Peterson and Barney 1952, men, rounded)."""

    mouth: dict[str, float]
    formants: tuple[float, float, float]


def _sides(weights: dict[str, float]) -> dict[str, float]:
    """Names without side stand for both."""
    both = ("mouthSmile", "mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthDimple")
    split = {f"{name}{side}": v for name, v in weights.items() if name in both for side in ("Left", "Right")}
    return {name: v for name, v in weights.items() if name not in both} | split


VOWELS = {
    "a": Vowel(_sides({"jawOpen": 0.38, "mouthLowerDown": 0.25, "mouthUpperUp": 0.1}), (730, 1090, 2440)),
    "e": Vowel(_sides({"jawOpen": 0.26, "mouthStretch": 0.2, "mouthLowerDown": 0.2}), (530, 1840, 2480)),
    "i": Vowel(_sides({"jawOpen": 0.12, "mouthSmile": 0.3, "mouthLowerDown": 0.2}), (270, 2290, 3010)),
    "o": Vowel(_sides({"jawOpen": 0.28, "mouthFunnel": 0.5}), (570, 840, 2410)),
    "u": Vowel(_sides({"jawOpen": 0.14, "mouthFunnel": 0.25, "mouthPucker": 0.5}), (300, 870, 2240)),
}


@dataclass(frozen=True)
class Syllable:
    start_s: float
    end_s: float
    vowel: str
    strength: float

    def envelope(self, time_s: np.ndarray | float) -> np.ndarray:
        """0..strength, smooth, at these times."""
        rise = np.clip((np.asarray(time_s) - self.start_s) / RISE_S, 0, 1)
        fall = np.clip((self.end_s - np.asarray(time_s)) / FALL_S, 0, 1)
        rise, fall = (x * x * (3 - 2 * x) for x in (rise, fall))
        return self.strength * np.minimum(rise, fall)


def sample_speech(rng: np.random.Generator, duration_s: float) -> tuple[Syllable, ...]:
    """Two phrases of about four syllables a second, with a pause between them and silence at both ends."""
    pause = duration_s * rng.uniform(0.5, 0.56)
    spoken: list[Syllable] = []
    for start, end in ((0.25, pause), (pause + 0.35, duration_s - 0.25)):
        at = start
        while at < end - 0.15:
            length = min(rng.uniform(0.17, 0.30), end - at)
            vowel = str(rng.choice([name for name in VOWELS if not spoken or name != spoken[-1].vowel]))
            spoken.append(Syllable(at, at + length, vowel, float(rng.uniform(0.7, 1.0))))
            at += length + rng.uniform(0.0, 0.05)
    return tuple(spoken)


def mouth_at(speech: tuple[Syllable, ...], time_s: float) -> dict[str, float]:
    """ARKit weights of the mouth, a little ahead of the sound, as mouths are."""
    weights: dict[str, float] = {}
    for syllable in speech:
        strength = float(syllable.envelope(time_s + 0.03))
        for name, weight in VOWELS[syllable.vowel].mouth.items():
            weights[name] = weights.get(name, 0.0) + strength * weight
    return weights


def sound_of(speech: tuple[Syllable, ...], duration_s: float) -> np.ndarray:
    """(n,) float32 -1..1 mono at `SOUND_RATE`."""
    time = np.arange(round(duration_s * SOUND_RATE)) / SOUND_RATE
    sound = np.zeros(len(time))
    for syllable in speech:
        inside = (time >= syllable.start_s) & (time < syllable.end_s)
        sound[inside] += _voice(time[inside], duration_s, VOWELS[syllable.vowel]) * syllable.envelope(time[inside])
    return (0.5 * sound / max(np.abs(sound).max(), 1e-9)).astype(np.float32)


def _voice(time: np.ndarray, duration_s: float, vowel: Vowel) -> np.ndarray:
    """(n,) a sung vowel. The phase is the integral of a pitch that falls from 125 to 100 Hz with a little vibrato."""
    phase = 2 * np.pi * (125 * time - 12.5 * time**2 / duration_s) + 0.35 * np.sin(2 * np.pi * 5.2 * time)
    harmonics = np.arange(1, int(HIGHEST_HZ / 125))
    levels = _gain(harmonics * 112.0, vowel) / harmonics  # a voice's own spectrum falls, the lips lift it again
    return np.sin(harmonics[:, None] * phase).T @ levels


def _gain(frequency: np.ndarray, vowel: Vowel) -> np.ndarray:
    """Response of three resonances in a row, each 1 at 0 Hz."""
    centre = np.array(vowel.formants)[:, None]
    width = BANDWIDTHS_HZ[:, None]
    return np.prod(centre**2 / np.hypot(centre**2 - frequency**2, width * frequency), axis=0)
