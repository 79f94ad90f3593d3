"""How video is encoded: by the file's ending, and by whether it must keep what is transparent."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2

from realtime.errors import UsageError

AVX512 = 256  # cv2.CPU_AVX512_SKX: what x264 asks for before it uses such instructions
UP_TO_AVX2 = "MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI1,BMI2,AVX2"
ALPHA_FORMATS = (".webm", ".mov")  # VP9 for browsers and OBS, ProRes 4444 for editors


@dataclass(frozen=True)
class Encoding:
    """codec, pixel_format, options: as FFmpeg names them. source_format: of the arrays that are written."""

    codec: str
    pixel_format: str
    source_format: str = "rgb24"
    options: dict[str, str] = field(default_factory=dict)


def encoding_of(suffix: str, alpha: bool, crf: int, preset: str) -> Encoding:
    """crf: x264's quality, 0 lossless .. 51. Raises UsageError where a file of that ending cannot be transparent."""
    if alpha and suffix not in ALPHA_FORMATS:
        raise UsageError(f"{suffix} cannot be transparent; record into {' or '.join(ALPHA_FORMATS)}")
    if suffix == ".webm":
        # VP9's scale runs from 0 to 63. An alternate reference frame is a hidden one, which alpha cannot have.
        options = {"crf": str(min(63, crf + 10)), "b": "0", "deadline": "realtime", "cpu-used": "8",
                   "lag-in-frames": "0", "auto-alt-ref": "0"}  # fmt: skip
        return Encoding("libvpx-vp9", "yuva420p" if alpha else "yuv420p", "rgba" if alpha else "rgb24", options)
    if alpha:
        return Encoding("prores_ks", "yuva444p10le", "rgba", {"profile": "4444", "vendor": "apl0", "alpha_bits": "8"})
    return Encoding("libx264", "yuv420p", "rgb24", {"crf": str(crf), "preset": preset} | repeatable())


def repeatable() -> dict[str, str]:
    """x264's options for the same bytes from the same pictures.

    With AVX-512 its macroblock tree reads memory that nobody has written: one encode in some thirty came out otherwise.
    """
    return {"x264-params": f"asm={UP_TO_AVX2}"} if cv2.checkHardwareSupport(AVX512) else {}
