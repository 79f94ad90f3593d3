"""The web server: the page's files, what it may know before it connects, and a door for each transport."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any

from aiohttp import web

from realtime.face.blendshapes import ARKIT_NAMES
from realtime.options import VIEWS
from realtime.page.access import Access, Refused, security_headers
from realtime.page.chain import SharedChain
from realtime.page.over_websocket import IDLE_S, WebSocketVisit
from realtime.page.visitor import Visitor
from realtime.page.wire import LARGEST_MESSAGE, LARGEST_SIDE, Wishes

logger = logging.getLogger(__name__)

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """Answers requests for one chain. `application` is what aiohttp runs; when it is shut down, every visit ends."""

    def __init__(self, chain: SharedChain, access: Access, idle_s: float = IDLE_S):
        self._chain, self._access, self._idle_s = chain, access, idle_s
        self._visits: set[Any] = set()
        self._static = {entry.name: entry.read_bytes() for entry in (files("realtime.page") / "static").iterdir()}
        self.webrtc = has_webrtc()
        self.application = web.Application(middlewares=[self._guard], client_max_size=64 * 1024)
        self.application.add_routes([
            web.get("/", self._page),
            web.get("/static/{name}", self._file),
            web.get("/about", self._about),
            web.get("/visit", self._visit),
            web.post("/offer", self._offer),
        ])  # fmt: skip
        self.application.on_shutdown.append(self._end_visits)

    # --- doors -----------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self._access.check_token(request.query)
        return web.Response(body=self._static["index.html"], content_type="text/html", charset="utf-8")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """The page's files hold no secret, and modules cannot pass on a token."""
        name = request.match_info["name"]
        if name not in self._static:
            raise web.HTTPNotFound(text="There is no such file.")
        suffix = name[name.rfind(".") :]
        return web.Response(body=self._static[name], content_type=TYPES[suffix], charset="utf-8")

    async def _about(self, request: web.Request) -> web.StreamResponse:
        self._access.check_token(request.query)
        return web.json_response(self.about())

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        self._check_visit(request)
        visit = WebSocketVisit(self._chain, self._hello, self._idle_s)
        self._visits.add(visit)
        try:
            return await visit.run(request)
        finally:
            self._visits.discard(visit)

    async def _offer(self, request: web.Request) -> web.StreamResponse:
        self._check_visit(request)
        if not self.webrtc:
            raise web.HTTPNotImplemented(text="WebRTC is not installed here: pip install -e '.[webrtc]'")
        from realtime.page.over_webrtc import answer_offer

        return await answer_offer(request, self._chain, self._hello, self._visits)

    # --- what is told ----------------------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        return {
            "kind": "about",
            "shapes": list(ARKIT_NAMES),
            "views": list(VIEWS),
            "webrtc": self.webrtc,
            "visitors": self._chain.visitors,
            "limit": self._chain.limit,
            "largest_side": LARGEST_SIDE,
            "largest_message": LARGEST_MESSAGE,
            "wishes": _settings(self._chain.first_wishes),
        }

    def _hello(self, visitor: Visitor) -> dict[str, Any]:
        return {**self.about(), "kind": "hello", "wishes": _settings(visitor.wishes)}

    # --- who may ---------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Host first, refusals and failures in words, security headers on everything."""
        try:
            self._access.check_host(request.host)
            response = await handler(request)
        except Refused as why:
            response = web.Response(status=403, text=str(why))
        except web.HTTPException as error:
            error.headers.update(security_headers(request.host))
            raise
        if not response.prepared:
            response.headers.update(security_headers(request.host))
        return response

    def _check_visit(self, request: web.Request) -> None:
        self._access.check_token(request.query)
        self._access.check_origin(request.headers.get("Origin"), request.scheme, request.host)

    async def _end_visits(self, _: web.Application) -> None:
        await asyncio.gather(*(visit.end("the server was stopped") for visit in tuple(self._visits)))


def _settings(wishes: Wishes) -> dict[str, Any]:
    return {"view": wishes.view, "remove": wishes.remove, "landmarks": wishes.landmarks, "smooth": wishes.smooth}


def has_webrtc() -> bool:
    try:
        importlib.import_module("aiortc")
    except ImportError:
        return False
    return True
