"""One visitor over a WebSocket: JPEG frames in, JPEG results out, in step with what the chain can do."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from realtime.page.chain import Full, SharedChain, admitted
from realtime.page.pace import Pace
from realtime.page.pictures import decode, encode
from realtime.page.visitor import Visitor
from realtime.page.wire import LARGEST_MESSAGE, WireError, pack_result, pack_taken, read_frame, read_wishes

logger = logging.getLogger(__name__)

HEARTBEAT_S = 10.0  # a line that is dead is noticed in 1.5 of these
CLOSING_S = 1.5  # how long the other side is waited for when we close
IDLE_S = 120.0  # who sends no picture for so long gives the place back
UNREAD = 256 * 1024  # bytes that the system keeps for a slow reader: more would only be old pictures
MESSAGES_S = 200  # most messages a second; a camera sends 30 to 60


class WebSocketVisit:
    """Lives as long as the connection. `run` returns when either side has ended it; then nothing of it is left."""

    def __init__(self, chain: SharedChain, hello: Callable[[Visitor], dict[str, Any]], idle_s: float = IDLE_S):
        self._chain, self._hello, self._idle_s = chain, hello, idle_s
        self._socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=CLOSING_S, max_msg_size=LARGEST_MESSAGE, compress=False
        )
        self._ready = asyncio.Event()
        self._failure: Exception | None = None
        self._pace = Pace()

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        await self._socket.prepare(request)
        if request.transport is not None:
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
        loop = asyncio.get_running_loop()

        def call(function: Callable[..., None], *values: Any) -> None:
            if not loop.is_closed():  # a lane may return after the server has ended
                loop.call_soon_threadsafe(function, *values)

        join = partial(
            self._chain.join,
            encode,
            on_taken=lambda sequence, early_s: call(self._ask_for_next, sequence, early_s),
            on_ready=lambda: call(self._ready.set),
            on_failed=lambda error: call(self._fail, error),
        )
        try:
            visitor = await admitted(join)
        except Full as why:
            await self._end(WSCloseCode.TRY_AGAIN_LATER, "full", str(why))
            return self._socket
        sender = asyncio.create_task(self._send(visitor))
        try:
            await self._socket.send_json(self._hello(visitor))
            await self._receive(visitor)
        except ConnectionError:
            pass
        finally:
            visitor.leave()
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return self._socket

    async def end(self, message: str) -> None:
        """The server stops."""
        await self._end(WSCloseCode.GOING_AWAY, "stopped", message)

    # --- what comes in ---------------------------------------------------------------------------------------------

    async def _receive(self, visitor: Visitor) -> None:
        frames_s, window_s, messages = time.monotonic(), 0.0, 0
        while not self._socket.closed:
            now = time.monotonic()
            try:
                message = await self._socket.receive(timeout=max(frames_s + self._idle_s - now, 0.01))
            except TimeoutError:
                await self._end(WSCloseCode.POLICY_VIOLATION, "idle", f"no picture for {self._idle_s:.0f} seconds")
                return
            now = time.monotonic()
            if now - window_s > 1:
                window_s, messages = now, 0
            messages += 1
            if messages > MESSAGES_S:
                await self._end(WSCloseCode.POLICY_VIOLATION, "flood", f"more than {MESSAGES_S} messages a second")
                return
            try:
                if message.type is WSMsgType.BINARY:
                    self._take_in(visitor, message.data)
                    frames_s = now
                elif message.type is WSMsgType.TEXT:
                    visitor.wish(read_wishes(message.data, visitor.wishes))
                else:  # closed, or broken: too large, not UTF-8, no WebSocket any more
                    return
            except WireError as why:
                await self._end(WSCloseCode.UNSUPPORTED_DATA, "malformed", str(why))
                return

    def _take_in(self, visitor: Visitor, message: bytes) -> None:
        frame = read_frame(message)
        visitor.offer(frame.sequence, frame.captured_s, lambda: decode(frame.jpeg))

    # --- what goes out ---------------------------------------------------------------------------------------------

    def _ask_for_next(self, sequence: int, early_s: float) -> None:
        hold_s = self._pace.came(early_s)
        asyncio.get_running_loop().call_later(hold_s, self._send_soon, sequence)

    def _send_soon(self, sequence: int) -> None:
        if not self._socket.closed:
            self._asking = asyncio.create_task(self._send_taken(sequence))

    async def _send_taken(self, sequence: int) -> None:
        try:
            await self._socket.send_bytes(pack_taken(sequence))
        except (ConnectionError, RuntimeError):  # it has just been closed
            pass

    async def _send(self, visitor: Visitor) -> None:
        """Results as they come; a reader that is slow holds up only itself, for nothing more is made meanwhile."""
        try:
            while True:
                await self._ready.wait()
                self._ready.clear()
                if self._failure is not None:
                    await self._tell_failure(self._failure)
                    return
                result = visitor.take()
                if result is not None:
                    await self._socket.send_bytes(pack_result(result.sequence, result.report, result.picture))
        except (ConnectionError, RuntimeError):
            pass

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._ready.set()

    async def _tell_failure(self, error: Exception) -> None:
        if isinstance(error, WireError):
            await self._end(WSCloseCode.UNSUPPORTED_DATA, "malformed", str(error))
            return
        logger.error("a visitor's picture could not be worked on: %s: %s", type(error).__name__, error)
        logger.debug("traceback", exc_info=error)
        await self._end(WSCloseCode.INTERNAL_ERROR, "failed", "the server could not work on a picture")

    async def _end(self, code: int, kind: str, message: str) -> None:
        """Says why, then closes."""
        if self._socket.closed:
            return
        try:
            await self._socket.send_str(json.dumps({"kind": "error", "code": kind, "message": message}))
            await self._socket.close(code=code, message=kind.encode())
        except (ConnectionError, RuntimeError):
            pass
