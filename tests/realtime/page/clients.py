"""A server in this process and visitors in Python, over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import islice
from typing import Any

import aiohttp
import av
import numpy as np
from aiohttp import web

from realtime.page.access import Access
from realtime.page.chain import SharedChain
from realtime.page.pictures import encode
from realtime.page.server import PageServer
from realtime.page.wire import pack_frame, read_result

OPEN = Access(None)


def clip_pictures(count: int) -> list[np.ndarray]:
    """(480, 640, 3) uint8: the bundled clip, somebody with glasses."""
    with av.open(str(files("realtime") / "demo" / "talking_head.mp4")) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in islice(opened.decode(video=0), count)]


@asynccontextmanager
async def serving(chain: SharedChain, access: Access = OPEN, **more: Any) -> AsyncIterator[str]:
    """The address, http://127.0.0.1:PORT."""
    runner = web.AppRunner(PageServer(chain, access, **more).application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Client:
    """One visitor: `async with Client(address) as client`. told: the server's texts; the first is hello or an error."""

    def __init__(self, address: str, query: str = "", origin: str | None = None):
        self._url, self._origin = f"{address}/visit{query}", origin or address
        self.told: list[dict[str, Any]] = []
        self.may_send = asyncio.Event()
        self.sequence = 0

    async def __aenter__(self) -> Client:
        self._http = aiohttp.ClientSession()
        try:
            self.socket = await self._http.ws_connect(self._url, headers={"Origin": self._origin}, max_msg_size=0)
            self.told.append(json.loads(await self.socket.receive_str(timeout=30)))
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()
        await self._http.close()

    def vanish(self) -> None:
        """As when a cable is pulled: no closing handshake."""
        self.socket._response.connection.transport.abort()

    async def wish(self, **wishes: Any) -> None:
        await self.socket.send_json({"kind": "wishes", **wishes})

    async def send(self, jpeg: bytes, captured_ms: float | None = None) -> int:
        sequence, self.sequence = self.sequence, self.sequence + 1
        captured_ms = 1000 * time.perf_counter() if captured_ms is None else captured_ms
        await self.socket.send_bytes(pack_frame(sequence, captured_ms, jpeg))
        return sequence

    async def result(self) -> tuple[int, dict[str, Any], bytes]:
        """The next result; sets `may_send` on the way. Raises ConnectionError when the server closes."""
        while True:
            message = await self.socket.receive(timeout=60)
            if message.type is aiohttp.WSMsgType.TEXT:
                self.told.append(json.loads(message.data))
            elif message.type is not aiohttp.WSMsgType.BINARY:
                raise ConnectionError(f"closed with {self.socket.close_code}: {self.told[-1]}")
            elif message.data[0] == 3:
                self.may_send.set()
            else:
                return read_result(message.data)

    async def show(self, pictures: list[np.ndarray]) -> list[tuple[dict[str, Any], bytes]]:
        """One picture after the other, each result awaited."""
        results = []
        for picture in pictures:
            sent = await self.send(encode(picture))
            sequence, report, jpeg = await self.result()
            assert sequence == sent
            results.append((report, jpeg))
        return results

    async def find_face(self, picture: np.ndarray, tries: int = 40) -> tuple[dict[str, Any], bytes]:
        """The first result with a face: the detector runs beside, so it takes a few pictures."""
        for _ in range(tries):
            ((report, jpeg),) = await self.show([picture])
            if any("shapes" in face for face in report["faces"]):
                return report, jpeg
        raise AssertionError("no face was found")

    async def refusal(self) -> tuple[int, str]:
        """(close code, error code) of a connection that the server ends."""
        while not self.socket.closed:
            message = await self.socket.receive(timeout=60)
            if message.type is aiohttp.WSMsgType.TEXT:
                self.told.append(json.loads(message.data))
        return self.socket.close_code, self.told[-1].get("code", "")
