"""A WebRTC visitor in Python, over real sockets: video goes in, changed video and reports come out."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="needs the extra `serve`")
aiortc = pytest.importorskip("aiortc", reason="needs the extra `webrtc`")

import aiohttp  # noqa: E402
import av  # noqa: E402

from realtime.options import Options  # noqa: E402
from realtime.page.access import decide_access  # noqa: E402
from realtime.page.chain import SharedChain  # noqa: E402
from tests.realtime.page.clients import clip_pictures, serving  # noqa: E402
from tests.realtime.page.test_server import wait_for  # noqa: E402


@pytest.fixture(scope="module")
def chain():
    made = SharedChain(Options(verb="serve", renderer="software"), limit=1)
    yield made
    made.close()


class Film(aiortc.MediaStreamTrack):
    """The clip's first pictures, over and over, ten a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._pictures = clip_pictures(8)
        self._number = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.1)
        frame = av.VideoFrame.from_ndarray(self._pictures[self._number % len(self._pictures)], format="rgb24")
        frame.pts, frame.time_base = self._number * 9000, Fraction(1, 90000)
        self._number += 1
        return frame


class Caller:
    """The page's part. reports, told: what came over the channel. tracks: the server's video."""

    def __init__(self) -> None:
        self.connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
        self.channel = self.connection.createDataChannel("results")
        self.told: list[dict] = []
        self.tracks: list[aiortc.MediaStreamTrack] = []
        self.channel.on("message", lambda text: self.told.append(json.loads(text)))
        self.connection.on("track", self.tracks.append)
        self.connection.addTrack(Film())

    async def call(self, address: str, query: str = "", origin: str | None = None) -> tuple[int, str]:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = {"sdp": self.connection.localDescription.sdp, "type": "offer"}
        async with aiohttp.ClientSession() as http:
            headers = {"Origin": origin or address}
            async with http.post(f"{address}/offer{query}", json=offer, headers=headers) as answer:
                text = await answer.text()
                if answer.status == 200:
                    description = aiortc.RTCSessionDescription(**json.loads(text))
                    await self.connection.setRemoteDescription(description)
                return answer.status, text

    async def until(self, condition, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never came true; told {self.told[-1:]}"
            await asyncio.sleep(0.05)

    def face_seen(self) -> bool:
        return any("shapes" in face for said in self.told[-1:] for face in said.get("faces", []))


def test_video_comes_back_changed_with_reports_and_leaving_frees_the_place(chain):
    async def visit():
        async with serving(chain) as address:
            caller = Caller()
            status, _ = await caller.call(address)
            await caller.until(lambda: caller.tracks and caller.told)
            caller.channel.send(json.dumps({"kind": "wishes", "view": "depth"}))
            caller.channel.send('{"kind":"ping","sent_ms":12.5}')
            drained = asyncio.create_task(_newest(caller.tracks[0]))
            await caller.until(caller.face_seen)
            await asyncio.sleep(2)
            drained.cancel()
            second = Caller()
            full = await second.call(address)
            await second.connection.close()
            await caller.connection.close()
            await asyncio.to_thread(wait_for, lambda: chain.visitors == 0, 40)
            return status, caller.told, _newest.frame, full

    status, told, frame, full = asyncio.run(visit())
    assert status == 200 and told[0]["kind"] == "hello" and {"kind": "pong", "sent_ms": 12.5} in told
    report = next(said for said in reversed(told) if said["kind"] == "result")
    assert report["faces"][0]["glasses"] == "clear" and len(report["faces"][0]["shapes"]) == 52
    assert frame.shape == (480, 640, 3)
    x0, y0, x1, y1 = (int(v) for v in report["faces"][0]["box"])
    change = np.abs(frame.astype(int) - clip_pictures(1)[0]).mean(2)
    assert change[y0:y1, x0:x1].mean() > 20 and change[:, : x0 - 80].mean() < 8  # a depth map over the face only
    assert full[0] == 503 and json.loads(full[1])["code"] == "full"


async def _newest(track: aiortc.MediaStreamTrack) -> None:
    while True:
        _newest.frame = (await track.recv()).to_ndarray(format="rgb24")


def test_a_caller_that_vanishes_leaves_nothing(chain, monkeypatch):
    monkeypatch.setattr("realtime.page.over_webrtc.SILENCE_S", 3.0)

    async def visit():
        async with serving(chain) as address:
            caller = Caller()
            await caller.call(address)
            await caller.until(lambda: caller.told)
            threads = threading.active_count()
            for transceiver in caller.connection.getTransceivers():  # no goodbye of any kind
                await transceiver.sender.transport.transport._connection.close()
            await asyncio.to_thread(wait_for, lambda: chain.visitors == 0, 20)
            await asyncio.sleep(0.5)
            left = threading.active_count()
            await caller.connection.close()
            return threads, left

    threads, left = asyncio.run(visit())
    assert left <= threads


def test_offers_are_checked_like_visits(chain):
    async def visit():
        access = decide_access("0.0.0.0", "a-token-of-enough-length", ())
        async with serving(chain, access) as address, aiohttp.ClientSession() as http:
            good, statuses = {"Origin": address}, []
            for query, headers, body in [
                ("", good, b"{}"),
                ("?token=a-token-of-enough-length", {"Origin": "http://evil.example"}, b"{}"),
                ("?token=a-token-of-enough-length", good, b"no json"),
                ("?token=a-token-of-enough-length", good, b'{"sdp": "nonsense", "type": "offer"}'),
                ("?token=a-token-of-enough-length", good, b"[" * 70_000),
            ]:
                async with http.post(f"{address}/offer{query}", data=body, headers=headers) as answer:
                    statuses.append(answer.status)
            return statuses

    statuses = asyncio.run(visit())
    assert statuses[:3] == [403, 403, 400] and statuses[3] == 400 and statuses[4] in (400, 413)
    wait_for(lambda: chain.visitors == 0)
