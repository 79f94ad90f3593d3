"""The page in a real browser: a camera that films the bundled clip, the program in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="needs the extra `serve`")

from tests.realtime.page.browser import Browser, chromium, film
from tests.realtime.page.clients import Client

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium: apt install chromium")

ROOT = Path(__file__).resolve().parents[3]
LIVE = "document.querySelector('#screen').dataset.state === 'live'"


class Program:
    """`run_live.py serve` on a port of its own; `start` again after `stop` takes the same port."""

    def __init__(self, *arguments: str):
        self.arguments, self.port = arguments, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "run_live.py"), "serve", "--renderer", "software", "--port"]
        command += [str(self.port), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.split(":")[2].split("/")[0])

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def camera(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("camera")
    return film(Path(str(files("realtime") / "demo" / "talking_head.mp4")), folder / "talking_head.mjpeg")


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    running = Program("--visitors", "1")
    yield running
    running.stop()


async def pixels(browser: Browser, canvas: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a canvas."""
    url = await browser.run(f"document.querySelector('#{canvas}').toDataURL('image/png')")
    png = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


async def both(browser: Browser) -> tuple[np.ndarray, np.ndarray]:
    """Before and after of the same picture: both canvases are drawn in one go, and read in one."""
    script = "['before', 'after'].map((id) => document.getElementById(id).toDataURL('image/png'))"
    urls = await browser.run(script)
    decoded = [cv2.imdecode(np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8), 1) for url in urls]
    return decoded[0][..., ::-1], decoded[1][..., ::-1]


async def begin(browser: Browser, address: str) -> None:
    await browser.open(address)
    await browser.until("document.querySelector('#view').length > 3")
    await browser.run("document.querySelector('#start').click()")


async def choose(browser: Browser, setting: str, value: str) -> None:
    await browser.run(
        f"(() => {{ const box = document.querySelector('#{setting}'); box.value = '{value}';"
        "for (const kind of ['input', 'change']) box.dispatchEvent(new Event(kind)); })()"
    )


async def figures(browser: Browser) -> dict[str, float]:
    ids, number = "['fps', 'latency', 'server']", "parseFloat(document.getElementById(id).textContent)"
    await browser.until(f"{ids}.every((id) => {number})")
    return await browser.run(f"Object.fromEntries({ids}.map((id) => [id, {number}]))")


def face_box(size: tuple[int, int] = (640, 480)) -> tuple[slice, slice]:
    """Where the clip's head never leaves: rows and columns around the eyes."""
    return slice(size[1] * 38 // 100, size[1] * 68 // 100), slice(size[0] * 30 // 100, size[0] * 74 // 100)


def test_the_camera_comes_back_without_glasses_and_the_page_says_how_fast(program, camera, tmp_path):
    async def look():
        async with Browser(tmp_path, camera) as browser:
            await browser.resize(1280, 900)
            await begin(browser, program.address)
            await browser.until(LIVE)
            await browser.until("document.querySelector('#glasses').textContent === 'clear lenses'")
            pictures, speed = await both(browser), await figures(browser)
            bars = await browser.run("[...document.querySelectorAll('.fill')].filter((bar) => "
                                     "parseFloat(bar.style.transform.slice(7)) > 0.02).length")  # fmt: skip
            texts = await browser.run("['camera', 'visitors', 'connection', 'face_title'].map((id) => "
                                      "document.getElementById(id).innerText)")  # fmt: skip
            return pictures, speed, bars, texts, browser.logged

    (before, after), speed, bars, texts, logged = asyncio.run(look())
    change = np.abs(before.astype(int) - after).mean(2)
    assert before.shape == after.shape == (480, 640, 3)
    assert np.percentile(change[face_box()], 97) > 20  # the rims are gone
    assert change[:, :60].mean() < 4 and change[:, -60:].mean() < 4 and change[:60].mean() < 4  # JPEG alone
    assert speed["fps"] > 0.5 and speed["latency"] >= speed["server"] > 5
    assert 4 <= bars <= 52 and "talking_head" in texts[0]
    assert texts[1:] == ["1 of 1", "connected, WebSocket (pictures)", "Face"]
    assert logged == []  # no error, nothing that the policy refused


def test_slider_keys_and_settings(program, camera, tmp_path):
    async def look():
        async with Browser(tmp_path, camera) as browser:
            await browser.resize(1000, 900)
            await begin(browser, program.address)
            await browser.until(LIVE)
            now = "Number(document.querySelector('#curtain').getAttribute('aria-valuenow'))"
            await browser.run("document.querySelector('#curtain').focus()")
            shares = [await browser.run(now)]
            for key in ("ArrowRight", "PageDown", "End", "Home"):
                await browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key)
                shares.append(await browser.run(now))
            box = await browser.run("(({x, y, width, height}) => [x, y, width, height])"
                                    "(document.querySelector('#pictures').getBoundingClientRect())")  # fmt: skip
            y = box[1] + box[3] / 2
            for kind, x in (("mousePressed", 0.5), ("mouseMoved", 0.6), ("mouseMoved", 0.75), ("mouseReleased", 0.75)):
                await browser.call("Input.dispatchMouseEvent", type=kind, x=box[0] + x * box[2], y=y, button="left",
                                   buttons=0 if kind == "mouseReleased" else 1, clickCount=1)  # fmt: skip
            shares.append(await browser.run(now))
            clip = await browser.run("document.querySelector('#veil').style.clipPath")
            changes = {}
            for view in ("original", "depth"):
                await choose(browser, "view", view)
                await asyncio.sleep(3)  # what is under way still shows the view before
                before, after = await both(browser)
                changes[view] = np.abs(before.astype(int) - after)[face_box()].mean()
            await browser.run("document.activeElement.blur()")
            await browser.call("Input.dispatchKeyEvent", type="keyDown", key="g", code="KeyG")
            removing = await browser.run("document.querySelector('#remove').checked")
            await choose(browser, "resolution", "320x240")
            await browser.until(f"{LIVE} && document.querySelector('#after').width === 320")
            return shares, clip, changes, removing, browser.logged

    shares, clip, changes, removing, logged = asyncio.run(look())
    assert shares == [50, 52, 42, 100, 0, 75] and clip == "inset(0px 25% 0px 0px)"
    assert changes["original"] < 4 and changes["depth"] > 20
    assert removing is False and logged == []


def test_a_full_house_a_lost_server_and_the_way_back(program, camera, tmp_path):
    async def look():
        said = []
        title = "document.querySelector('#notice_title').innerText"
        async with Browser(tmp_path, camera) as browser:
            async with Client(program.address.rstrip("/")):
                await begin(browser, program.address)
                await browser.until(f"{title} === 'Every place is taken'")
                said.append(await browser.run("document.querySelector('#notice_text').innerText"))
            await browser.until(LIVE)  # by itself, as the place is free
            await asyncio.to_thread(program.stop)
            await browser.until("document.querySelector('#screen').dataset.state === 'lost'")
            said.append(await browser.run(title))
            await asyncio.to_thread(program.start)
            await browser.until(LIVE)
            await browser.run("document.querySelector('#stop').click()")
            said.append(await browser.run(title))
            return said

    said = asyncio.run(look())
    assert "tries again" in said[0]
    assert said[1] in ("The server was stopped", "The connection was lost") and said[2] == "Stopped"


@pytest.mark.parametrize("reason", ["denied", "absent"])
def test_without_a_camera_the_page_says_why(program, tmp_path, reason):
    async def look():
        async with Browser(tmp_path, None, allow=reason == "absent", fake=reason == "denied") as browser:
            if reason == "denied":
                await browser.call("Browser.setPermission", permission={"name": "camera"}, setting="denied")
            await begin(browser, program.address)
            await browser.until("document.querySelector('#screen').dataset.state === 'failed'")
            return await browser.run("document.querySelector('#notice_title').innerText")

    wanted = {"denied": "The camera is not allowed", "absent": "No camera found"}
    assert asyncio.run(look()) == wanted[reason]


def test_from_elsewhere_the_token_opens_the_page_and_https_is_asked_for(camera, tmp_path):
    running = Program("--host", "0.0.0.0")
    elsewhere = running.address.replace("localhost", "elsewhere.test")  # not this machine, as far as the browser knows
    bare = elsewhere.split("?")[0]

    async def look():
        resolve = ("--host-resolver-rules=MAP elsewhere.test 127.0.0.1",)
        async with Browser(tmp_path, camera, more=resolve) as browser:
            await browser.open(bare)
            refused = await browser.run("document.body.innerText")
            await begin(browser, elsewhere)
            await browser.until("document.querySelector('#screen').dataset.state === 'failed'")
            title = await browser.run("document.querySelector('#notice_title').innerText")
            text = await browser.run("document.querySelector('#notice_text').innerText")
            await begin(browser, running.address)  # the same server through a tunnel, as localhost
            await browser.until(LIVE)
            return refused, title, text

    try:
        refused, title, text = asyncio.run(look())
    finally:
        running.stop()
    assert "needs the token" in refused and title == "This address cannot use a camera" and "https" in text


def test_webrtc_in_the_browser(program, camera, tmp_path):
    pytest.importorskip("aiortc", reason="needs the extra `webrtc`")

    async def look():
        async with Browser(tmp_path, camera) as browser:
            await browser.open(program.address)
            await browser.until("document.querySelector('#view').length > 3")
            await choose(browser, "transport", "webrtc")
            await browser.run("document.querySelector('#start').click()")
            await browser.until(LIVE)
            await browser.until("document.querySelector('#glasses').textContent === 'clear lenses'")
            text = await browser.run("document.querySelector('#connection').textContent")
            return text, await figures(browser), (await pixels(browser, "after")).shape, browser.logged

    text, speed, shape, logged = asyncio.run(look())
    assert text == "connected, WebRTC (video)" and speed["fps"] > 0.5 and shape == (480, 640, 3) and logged == []
