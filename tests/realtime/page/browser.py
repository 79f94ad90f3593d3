"""A headless Chromium driven over its DevTools protocol, with a camera that films a file of JPEGs."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import av
import cv2

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--remote-debugging-port=0", "--remote-allow-origins=*",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
)  # fmt: skip


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def film(clip: Path, camera: Path, most: int = 60) -> Path:
    """The clip's first pictures as a file that Chromium's fake camera plays in a loop."""
    with av.open(str(clip)) as opened, camera.open("wb") as out:
        for number, frame in enumerate(opened.decode(video=0)):
            if number == most:
                break
            picture = cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2BGR)
            out.write(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return camera


class Browser:
    """`async with Browser(folder, camera) as browser`: a profile of its own in `folder`. allow: the page may use it.

    fake: whether there is a camera at all. more: further flags.
    """

    def __init__(
        self, folder: Path, camera: Path | None, allow: bool = True, fake: bool = True, more: tuple[str, ...] = ()
    ):
        self._profile = folder / "profile"
        flags = [*FLAGS, *more, f"--user-data-dir={self._profile}"]
        flags += [f"--use-file-for-fake-video-capture={camera}"] if camera else []
        flags += ["--use-fake-device-for-media-stream"] if fake else []
        flags += ["--use-fake-ui-for-media-stream"] if allow else []
        self._command = [str(chromium()), *flags, "about:blank"]
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.logged: list[str] = []

    async def __aenter__(self) -> Browser:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._http = aiohttp.ClientSession()
        try:
            port = await self._port()
            async with self._http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                page = next(target for target in await answer.json() if target["type"] == "page")
            self._socket = await self._http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
            self._reader = asyncio.create_task(self._read())
            for domain in ("Page", "Runtime", "Log"):
                await self.call(f"{domain}.enable")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._http.close()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await asyncio.wait_for(self._answers[number], 60)
        del self._answers[number]
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", str(answer)))
        return answer["result"].get("value")

    async def until(self, condition: str, seconds: float = 60) -> None:
        """Raises TimeoutError, with what the page says, when the condition has not become true."""
        end = time.monotonic() + seconds
        while not await self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                shown = await self.run("document.body.innerText.slice(0, 600)")
                raise TimeoutError(f"never {condition}; logged {self.logged}; the page shows: {shown}")
            await asyncio.sleep(0.1)

    async def resize(self, width: int, height: int, *, phone: bool = False, dark: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)

    async def screenshot(self, path: Path, full: bool = False) -> None:
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=full)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def _port(self) -> int:
        file = self._profile / "DevToolsActivePort"
        for _ in range(600):
            if file.exists() and file.read_text().strip():
                return int(file.read_text().split()[0])
            await asyncio.sleep(0.1)
        raise TimeoutError("Chromium did not start")

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                if said["id"] in self._answers and not self._answers[said["id"]].done():
                    self._answers[said["id"]].set_result(said)
            elif said["method"] == "Runtime.exceptionThrown":
                details = said["params"]["exceptionDetails"]
                self.logged.append(details.get("exception", {}).get("description") or details["text"])
            elif said["method"] == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                self.logged.append(said["params"]["entry"]["text"] + " " + said["params"]["entry"].get("url", ""))
