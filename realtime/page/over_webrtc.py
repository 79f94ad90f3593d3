"""One visitor over WebRTC (the extra `webrtc`): video both ways, measurements and wishes over a data channel.

Negotiated by one HTTP request; no server on the internet is asked, so it works where both sides see each other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import av
import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from realtime.page.chain import Full, SharedChain, admitted
from realtime.page.pictures import check_size
from realtime.page.visitor import Result, Visitor
from realtime.page.wire import LARGEST_TEXT, WireError, read_wishes

logger = logging.getLogger(__name__)

SILENCE_S = 15.0  # the page says something every second
KEPT = 16  # frames under way whose times are remembered


async def answer_offer(
    request: web.Request, chain: SharedChain, hello: Callable[[Visitor], dict[str, Any]], visits: set[Any]
) -> web.Response:
    """The answer to a page's offer, or an error as JSON. The visit goes on in the background; it is in `visits`."""
    try:
        said = await request.json()
        offer = RTCSessionDescription(sdp=str(said["sdp"]), type=str(said["type"]))
    except (ValueError, KeyError, TypeError) as why:
        return web.json_response({"code": "malformed", "message": f"not an offer: {why}"}, status=400)
    try:
        visit = await admitted(lambda: WebRtcVisit(chain, hello, visits.discard))
    except Full as why:
        return web.json_response({"code": "full", "message": str(why)}, status=503)
    visits.add(visit)
    try:
        answer = await visit.answer(offer)
    except Exception as why:  # aiortc has no common exception for a description that it cannot use
        await visit.leave()
        return web.json_response({"code": "malformed", "message": f"the offer cannot be answered: {why}"}, status=400)
    return web.json_response({"sdp": answer.sdp, "type": answer.type})


class WebRtcVisit:
    """Lives until either side ends it; `gone` is called with it then. Raises Full."""

    def __init__(
        self, chain: SharedChain, hello: Callable[[Visitor], dict[str, Any]], gone: Callable[[WebRtcVisit], None]
    ):
        loop = asyncio.get_running_loop()
        self._hello, self._gone = hello, gone
        self._ready = asyncio.Event()
        self._channel: RTCDataChannel | None = None
        self._times: dict[int, tuple[int, Fraction]] = {}  # sequence -> pts and time base of the picture that came
        self._heard_s = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = False

        def call(function: Callable[..., None], *values: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function, *values)

        self._visitor = chain.join(
            to_video_frame,
            on_ready=lambda: call(self._ready.set),
            on_failed=lambda error: call(self._fail, error),
        )
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("connectionstatechange", self._on_state)

    async def answer(self, offer: RTCSessionDescription) -> RTCSessionDescription:
        await self._connection.setRemoteDescription(offer)
        self._connection.addTrack(ResultTrack(self))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        self._begin(self._watch())
        return self._connection.localDescription

    async def next_frame(self) -> av.VideoFrame:
        """The next result's picture; its report goes over the channel at the same time."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            result: Result | None = self._visitor.take()
            if result is None:
                continue
            frame = result.picture
            frame.pts, frame.time_base = self._times.get(result.sequence, (result.sequence, Fraction(1, 30)))
            self._times = {number: at for number, at in self._times.items() if number > result.sequence}
            self._say({"kind": "result", "sequence": result.sequence, **result.report})
            return frame

    async def end(self, message: str) -> None:
        """The server stops."""
        self._say({"kind": "error", "code": "stopped", "message": message})
        await asyncio.sleep(0.05)  # the channel has no flush
        await self.leave()

    async def leave(self) -> None:
        """Gives everything back. May be called twice."""
        if self._left:
            return
        self._left = True
        self._visitor.leave()
        self._gone(self)
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        await self._connection.close()
        self._channel = None

    # --- what comes in ---------------------------------------------------------------------------------------------

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._begin(self._receive(track))

    async def _receive(self, track: MediaStreamTrack) -> None:
        sequence = 0
        try:
            while True:
                frame: Any = await track.recv()
                if len(self._times) >= KEPT:
                    self._times.pop(next(iter(self._times)))
                self._times[sequence] = (frame.pts, frame.time_base)
                captured_s = float(frame.pts * frame.time_base)
                self._visitor.offer(sequence, captured_s, partial(to_picture, frame))
                sequence += 1
        except MediaStreamError:  # the page sends no more
            await self.leave()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel
        channel.on("message", self._on_message)
        self._say(self._hello(self._visitor))

    def _on_message(self, text: str | bytes) -> None:
        self._heard_s = time.monotonic()
        try:
            if not isinstance(text, str) or len(text) > LARGEST_TEXT:
                raise WireError("the channel takes short texts only")
            if text.startswith('{"kind":"ping"'):
                self._say({"kind": "pong", "sent_ms": float(json.loads(text)["sent_ms"])})
            else:
                self._visitor.wish(read_wishes(text, self._visitor.wishes))
        except (WireError, ValueError, KeyError, TypeError) as why:
            self._fail(why if isinstance(why, WireError) else WireError("a text that is no JSON of ours"))

    async def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            await self.leave()

    async def _watch(self) -> None:
        """A line that is dead says nothing, not even that."""
        while time.monotonic() - self._heard_s < SILENCE_S:
            await asyncio.sleep(1)
        await self.leave()

    # --- what goes out ---------------------------------------------------------------------------------------------

    def _say(self, message: dict[str, Any]) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(message, separators=(",", ":")))

    def _fail(self, error: Exception) -> None:
        malformed = isinstance(error, WireError)
        if not malformed:
            logger.error("a visitor's picture could not be worked on: %s: %s", type(error).__name__, error)
        message = str(error) if malformed else "the server could not work on a picture"
        self._say({"kind": "error", "code": "malformed" if malformed else "failed", "message": message})
        self._begin(self._leave_soon())

    async def _leave_soon(self) -> None:
        await asyncio.sleep(0.05)
        await self.leave()

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class ResultTrack(MediaStreamTrack):
    """The results of a visit as video; each carries the time of the picture that it answers."""

    kind = "video"

    def __init__(self, visit: WebRtcVisit):
        super().__init__()
        self._visit = visit

    async def recv(self) -> av.VideoFrame:
        return await self._visit.next_frame()


def to_picture(frame: av.VideoFrame) -> np.ndarray:
    """(H, W, 3) uint8 RGB. Raises WireError beyond the limits."""
    check_size(frame.width, frame.height)
    return frame.to_ndarray(format="rgb24")


def to_video_frame(picture: np.ndarray) -> av.VideoFrame:
    """What the encoder takes, converted here, where it holds up no other visitor's messages."""
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuv420p")
