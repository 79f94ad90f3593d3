"""From what stands behind `-o` to the sink that sends pictures out while they come."""

from __future__ import annotations

from collections.abc import Callable

from realtime.sinks.outgoing import Outgoing
from realtime.sources.audio import AudioTap
from realtime.sources.base import Properties


def sends(output: str) -> bool:
    """Whether `output` is a virtual camera, a stream or a pipe. Raises UsageError for a malformed one."""
    from realtime.sinks.stream import is_stream

    return output == "camera" or output.startswith("camera:") or is_stream(output)


def outgoing(
    output: str, properties: Properties, delay_s: float = 0.0, tap_audio: Callable[[], AudioTap | None] = lambda: None
) -> Outgoing:
    """Raises DependencyError, UsageError. properties, tap_audio: of the source; streams carry its sound."""
    if not output.startswith("camera"):
        from realtime.sinks.stream import StreamChannel

        return Outgoing(StreamChannel(output, properties.rate, sound=tap_audio()), delay_s, target=output)
    from realtime.sinks.virtual_camera import VirtualCamera

    device = output.removeprefix("camera").removeprefix(":") or None
    camera = VirtualCamera(properties.size, properties.rate, device)
    return Outgoing(camera, delay_s, target=camera.device)
