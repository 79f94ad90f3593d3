"""Real sockets, shipped weights: what visitors get, what they cannot do to each other, and what remains of them."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import time
import weakref
from importlib.resources import files

import numpy as np
import pytest

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra `serve`")

from realtime.options import Options  # noqa: E402
from realtime.page.access import decide_access  # noqa: E402
from realtime.page.chain import SharedChain  # noqa: E402
from realtime.page.pictures import decode, encode  # noqa: E402
from realtime.page.wire import LARGEST_MESSAGE, pack_frame  # noqa: E402
from realtime.texture import LiveTexture  # noqa: E402
from tests.realtime.page.clients import Client, clip_pictures, serving  # noqa: E402

PICTURES = clip_pictures(12)
EMPTY = np.full((240, 320, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def chain():
    made = SharedChain(Options(verb="serve", renderer="software"), limit=3)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def everybody_has_left(chain):
    yield
    wait_for(lambda: chain.visitors == 0)


def wait_for(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.02)


def test_pictures_come_back_without_glasses_and_otherwise_the_same(chain):
    async def visit():
        async with serving(chain) as address, Client(address) as client:
            assert client.told[0]["kind"] == "hello" and len(client.told[0]["shapes"]) == 52
            await client.find_face(PICTURES[0])
            return (await client.show(PICTURES))[-1]

    report, jpeg = asyncio.run(visit())
    back, sent = decode(jpeg).astype(int), PICTURES[-1].astype(int)
    change = np.abs(back - sent).mean(2)
    x0, y0, x1, y1 = (int(v) for v in report["faces"][0]["box"])
    eyes = change[y0 : y0 + (y1 - y0) // 2, x0:x1]
    assert report["faces"][0]["glasses"] == "clear" and report["size"] == [640, 480]
    assert np.percentile(eyes, 95) > 20  # rims, about a tenth of the upper face
    assert change[:, : x0 - 60].mean() < 3 and np.percentile(change[:, : x0 - 60], 99) < 12  # JPEG, twice
    assert all(0 <= weight <= 1 for weight in report["faces"][0]["shapes"]) and report["server_ms"] > 0


def test_wishes_take_effect(chain):
    async def visit():
        async with serving(chain) as address, Client(address) as client:
            removed = (await client.find_face(PICTURES[0]))[1]
            await client.wish(view="original")
            original = (await client.show([PICTURES[0]]))[0][1]
            await client.wish(view="side-by-side", remove=False, smooth=0, calibrate=True)
            beside = (await client.show([PICTURES[0]]))[0]
            await client.wish(view="wireframe", landmarks=True, remove=True)
            wires = (await client.show([PICTURES[0]]))[0][1]
            return removed, original, beside, wires

    removed, original, (report, beside), wires = asyncio.run(visit())
    change = [np.abs(decode(one).astype(int) - PICTURES[0]).mean() for one in (original, removed, wires)]
    assert change[0] < 2 and change[0] < change[1] < change[2]
    assert decode(beside).shape == (480, 1920, 3) and report["size"] == [1920, 480]


def test_who_starts_with_glasses_on_may_take_them_off():
    async def visit(own):
        async with serving(own) as address, Client(address) as client:
            await client.find_face(PICTURES[0])
            worn = (await client.show([PICTURES[0]]))[0][1]
            assert client.told[0]["wishes"]["remove"] is False
            await client.wish(remove=True)
            return worn, (await client.show([*PICTURES[:3], PICTURES[0]]))[-1][1]

    own = SharedChain(Options(verb="serve", renderer="software", remove=False), limit=1)
    try:
        worn, removed = (decode(jpeg).astype(int) for jpeg in asyncio.run(visit(own)))
    finally:
        own.close()
    assert np.abs(worn - PICTURES[0]).max() < 60 and np.abs(worn - PICTURES[0]).mean() < 2
    assert (np.abs(removed - PICTURES[0]).max(2) > 60).sum() > 1000  # rims


def test_visitors_have_tracks_of_their_own(chain):
    async def visit():
        async with serving(chain) as address, Client(address) as one, Client(address) as other:
            seen = await one.find_face(PICTURES[0])
            (nobody, _), *_ = await other.show([EMPTY] * 3)
            later, again = await asyncio.gather(other.find_face(PICTURES[5]), one.find_face(PICTURES[1]))
            return seen[0], nobody, later[0], again[0], one.told[0]["visitors"], other.told[0]["visitors"]

    seen, nobody, later, again, first, second = asyncio.run(visit())
    assert nobody["faces"] == [] and nobody["size"] == [320, 240]
    assert [report["faces"][0]["track"] for report in (seen, later, again)] == [0, 0, 0]
    assert (first, second) == (1, 2)


def test_who_finds_every_place_taken_is_told_and_comes_in_when_one_is_free(chain):
    async def visit():
        async with serving(chain) as address:
            async with Client(address), Client(address), Client(address), Client(address) as late:
                refused = await late.refusal()
            await asyncio.to_thread(wait_for, lambda: chain.visitors == 0)
            async with Client(address) as back:
                return refused, back.told[0]["kind"], late.told

    refused, kind, told = asyncio.run(visit())
    assert refused == (1013, "full") and kind == "hello" and "3 places" in told[0]["message"]


BOMB = encode(np.zeros((96, 128, 3), np.uint8))
BOMB = BOMB[: (at := BOMB.index(b"\xff\xc0")) + 5] + b"\xff\xff\xff\xff" + BOMB[at + 9 :]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00", (1003, "malformed")),
        (b"\x01\x01" + bytes(30), (1003, "malformed")),
        (pack_frame(0, 0, BOMB), (1003, "malformed")),
        (pack_frame(0, 0, b"\xff\xd8" + bytes(2000)), (1003, "malformed")),
        (bytes(LARGEST_MESSAGE + 1), (1009, "")),
        ('{"kind": "wishes", "view": "none"}', (1003, "malformed")),
        ("x" * 100_000, (1003, "malformed")),
    ],
    ids=["short", "no jpeg", "bomb", "garbage", "huge", "wish", "long text"],
)
def test_a_bad_message_ends_its_own_connection_only(chain, message, code):
    async def visit():
        async with serving(chain) as address, Client(address) as good, Client(address) as bad:
            await good.find_face(PICTURES[0])
            await (bad.socket.send_str(message) if isinstance(message, str) else bad.socket.send_bytes(message))
            refused, results = await asyncio.gather(bad.refusal(), good.show(PICTURES[:4]))
            return refused, results

    refused, results = asyncio.run(visit())
    assert refused == code
    assert all(report["faces"][0]["track"] == 0 for report, _ in results)


def test_who_does_not_read_holds_up_nobody_and_is_not_worked_for(chain):
    noise = encode(np.random.default_rng(0).integers(0, 256, (1000, 1400, 3), dtype=np.uint8))  # a result: over 1 MB

    async def visit():
        async with serving(chain) as address, Client(address) as deaf, Client(address) as other:
            await other.find_face(PICTURES[0])
            seat = next(iter(chain._visitors - {max(chain._visitors, key=lambda one: one._frames)}))._seat
            stuck, before = 0, None
            for _ in range(600):  # until the same result has lain there for a second
                await deaf.send(noise)
                await asyncio.sleep(0.05)
                stuck, before = (stuck + 1 if seat.waiting[-1] is before is not None else 0), seat.waiting[-1]
                if stuck == 20:
                    break
            results = await other.show(PICTURES[:6])
            still = seat.waiting[-1] is before
            deaf.vanish()
            return stuck, still, results

    stuck, still, results = asyncio.run(visit())
    assert stuck == 20 and still
    assert all(report["faces"][0]["track"] == 0 for report, _ in results)


def test_a_flood_ends_its_connection(chain):
    async def visit():
        async with serving(chain) as address, Client(address) as client:
            for _ in range(400):
                await client.wish(smooth=0.5)
            return await client.refusal()

    assert asyncio.run(visit()) == (1008, "flood")


def test_who_sends_nothing_gives_the_place_back(chain):
    async def visit():
        async with serving(chain, idle_s=0.3) as address, Client(address) as client:
            return await client.refusal()

    assert asyncio.run(visit()) == (1008, "idle")


def test_a_dropped_connection_frees_everything(chain):
    def count() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), sum(isinstance(one, LiveTexture) for one in gc.get_objects())

    async def visit():
        async with serving(chain) as address:
            async with Client(address) as client:  # the executor's own threads are there from now on
                await client.find_face(PICTURES[0])
            await asyncio.to_thread(wait_for, lambda: chain.visitors == 0)
            before = count()
            visitors = []
            for _ in range(3):
                client = await Client(address).__aenter__()
                await client.find_face(PICTURES[0])
                visitors += [weakref.ref(visitor) for visitor in chain._visitors]
                for picture in PICTURES[:3]:  # some are still being worked on
                    await client.send(encode(picture))
                during = count()
                client.vanish()
                await client._http.close()
                del client
                await asyncio.to_thread(wait_for, lambda: chain.visitors == 0)
            await asyncio.sleep(1.2)  # a question for the next picture may have been under way
            return before, during, count(), [visitor() for visitor in visitors]

    before, during, after, visitors = asyncio.run(visit())
    assert during[1] == before[1] + 1 and during[0] == before[0]
    assert after == before and visitors == [None] * 3


def test_stopping_tells_every_visitor(chain):
    async def visit():
        async with serving(chain) as address:
            client = await Client(address).__aenter__()
            waiting = asyncio.create_task(client.refusal())
        ended = await waiting
        await client._http.close()
        return ended

    assert asyncio.run(visit()) == (1001, "stopped")


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?token=a-token-of-enough-length", {}, 403),  # no Origin
        ("?token=a-token-of-enough-length", {"Origin": "http://evil.example"}, 403),
        ("", {"Origin": "SELF"}, 403),
        ("?token=wrong-token-of-some-length", {"Origin": "SELF"}, 403),
        ("?token=a-token-of-enough-length", {"Origin": "SELF"}, 101),
    ],
)
def test_only_our_page_with_the_token_may_connect(chain, query, headers, status):
    async def visit():
        access = decide_access("0.0.0.0", "a-token-of-enough-length", ())
        async with serving(chain, access) as address, aiohttp.ClientSession() as http:
            sent = {name: address if value == "SELF" else value for name, value in headers.items()}
            pages = [(await http.get(f"{address}{path}{query}")).status for path in ("/", "/about")]
            try:
                async with http.ws_connect(f"{address}/visit{query}", headers=sent):
                    return 101, pages
            except aiohttp.WSServerHandshakeError as error:
                return error.status, pages

    got, pages = asyncio.run(visit())
    assert got == status and pages == ([200, 200] if "a-token" in query else [403, 403])


def test_every_answer_carries_the_policy_and_foreign_names_get_none(chain):
    async def visit():
        async with serving(chain) as address, aiohttp.ClientSession() as http:
            answers = [await http.get(address + path) for path in ("/", "/static/page.js", "/static/no.js", "/about")]
            foreign = await http.get(address + "/", headers={"Host": "evil.example"})
            outside = await http.get(address + "/static/%2e%2e%2fserver.py")
            return answers, foreign.status, outside.status

    answers, foreign, outside = asyncio.run(visit())
    assert [answer.status for answer in answers] == [200, 200, 404, 200] and (foreign, outside) == (403, 404)
    for answer in answers:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert (
            answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
        )
    assert answers[1].content_type == "text/javascript"


def test_the_page_takes_nothing_from_elsewhere_and_no_file_is_missing():
    folder = files("realtime.page") / "static"
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()}
    for name, text in texts.items():
        assert not re.findall(r"https?://(?!www\.w3\.org)", text), name
        assert not re.search(r"\sstyle=|\son\w+=|eval\(|innerHTML", text), name  # the policy would refuse them
        for wanted in re.findall(r"""(?:from |import\()"\./([\w.]+)"|static/([\w.]+)|new URL\("([\w]+\.js)\"""", text):
            assert next(filter(None, wanted)) in texts, (name, wanted)
        assert len(text.splitlines()) <= 250, name
