"""Where pictures come from: cameras, video, photographs, a pipe, a test pattern."""

from realtime.sources.base import Properties, Source
from realtime.sources.choose import open_source

__all__ = ["Properties", "Source", "open_source"]
