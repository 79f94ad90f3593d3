"""`run_live.py serve`: opens the chain, binds, prints the address, and serves until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from importlib.resources import as_file, files
from typing import Any

from realtime.errors import DependencyError, Interrupted, SinkError, UsageError, reason
from realtime.interruption import interrupted
from realtime.options import Options
from realtime.page.access import Access, decide_access

logger = logging.getLogger(__name__)

WARM_UP_FRAMES = 20


def serve(options: Options) -> int:
    """Until Ctrl-C or SIGTERM, then raises Interrupted. Raises DependencyError, UsageError, SinkError, EngineError."""
    try:
        import aiohttp  # noqa: F401
    except ImportError as why:
        raise DependencyError(f"serve needs aiohttp ({why}): pip install -e '.[serve]'") from why
    from realtime.page.chain import SharedChain
    from realtime.page.server import PageServer

    access = decide_access(options.host, options.token, tuple(options.origins))
    tls = _tls(options)
    chain = SharedChain(options, options.visitors)
    try:
        _warm_up(chain)
        asyncio.run(_run(options, PageServer(chain, access), access, tls))
    finally:
        chain.close()
    raise Interrupted("stopped")


async def _run(options: Options, server: Any, access: Access, tls: ssl.SSLContext | None) -> None:
    from aiohttp import web

    runner = web.AppRunner(server.application, access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port, ssl_context=tls)
        try:
            await site.start()
        except OSError as why:
            at = f"{options.host}:{options.port}"
            raise SinkError(f"cannot serve on {at}: {reason(why)}; try another --port") from why
        port = runner.addresses[0][1]
        print(address(options.host, port, access, tls is not None), flush=True)
        logger.info("%d visitors at most; Ctrl-C ends", options.visitors)
        if not access.loopback and tls is None:
            logger.warning(
                "browsers give a camera only to pages over https or on localhost: add --cert and --key, "
                "or let visitors come through a tunnel: ssh -L %d:127.0.0.1:%d HOST", port, port,
            )  # fmt: skip
        await _stopped()
    finally:
        await runner.cleanup()


def address(host: str, port: int, access: Access, secure: bool) -> str:
    """What a person opens in a browser."""
    named = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
    query = f"?token={access.token}" if access.token is not None else ""
    return f"{'https' if secure else 'http'}://{named}:{port}/{query}"


async def _stopped() -> None:
    """Until the first SIGINT or SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    if interrupted():
        stop.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt
            pass
    await stop.wait()


def _tls(options: Options) -> ssl.SSLContext | None:
    if options.certificate is None and options.key is None:
        return None
    if options.certificate is None:
        raise UsageError("--key without --cert")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except (OSError, ssl.SSLError) as why:
        raise UsageError(f"--cert {options.certificate}: {reason(why)}") from why
    return context


def _warm_up(chain: Any) -> None:
    """A face through everything, so that the first visitor does not wait for compiled and cached code."""
    from dataclasses import replace
    from threading import Event

    import av

    from realtime.page.pictures import encode

    with as_file(files("realtime") / "demo" / "talking_head.mp4") as clip, av.open(str(clip)) as opened:
        picture = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    ready = Event()
    visitor = chain.join(encode, on_ready=ready.set)
    visitor.wish(replace(visitor.wishes, view="mesh", remove=True))
    for number in range(WARM_UP_FRAMES):  # the detector runs beside: the face is there after a few
        visitor.offer(number, number / 30, picture.copy)
        ready.wait(10)
        ready.clear()
        result = visitor.take()
        if result is not None and any("shapes" in face for face in result.report["faces"]):
            break
    visitor.leave()
