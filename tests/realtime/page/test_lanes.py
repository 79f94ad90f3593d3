"""Shared threads with real waiting: who gets how much, what a slow or broken visitor does to others, what remains."""

import gc
import threading
import time
import weakref

import pytest

from realtime.page.lanes import Lanes, Seat


class Guest:
    """A seat that feeds itself: a new item as soon as one was begun, results taken at once unless `takes` is False."""

    def __init__(self, lanes: Lanes, steps, takes: bool = True, feeds: bool = True):
        self.lanes, self.takes, self.feeds, self.results, self.errors, self.taken = lanes, takes, feeds, [], [], []
        self.gone = threading.Event()
        self.seat = Seat(
            steps, on_taken=self._taken, on_ready=self._ready, on_failed=self.errors.append, on_gone=self.gone.set
        )
        lanes.enter(self.seat)
        self.number = 0
        if feeds:
            self.feed()

    def feed(self):
        self.number += 1
        self.lanes.put(self.seat, self.number)

    def _taken(self, item):
        self.taken.append(item)
        if self.feeds:
            self.feed()

    def _ready(self):
        if self.takes:
            self.results.append(self.lanes.take(self.seat))


@pytest.fixture
def lanes():
    made = Lanes(("first", "second"), time.perf_counter)
    yield made
    made.close()


def sleeping(seconds: float):
    def step(item):
        time.sleep(seconds)
        return item

    return step


def test_results_come_in_order_and_through_every_lane(lanes):
    guest = Guest(lanes, [lambda n: n * 2, lambda n: n + 1])
    time.sleep(0.2)
    lanes.leave(guest.seat)
    assert len(guest.results) > 20 and guest.results == [2 * n + 1 for n in range(1, len(guest.results) + 1)]


def test_whose_pictures_cost_little_waits_for_one_other_picture_at_most(lanes):
    """Two dear guests beside a cheap one: in plain turns it would come third, here it follows each of them."""
    cheap = Guest(lanes, [sleeping(0.005), lambda item: item])
    dear = [Guest(lanes, [sleeping(0.04), lambda item: item]) for _ in range(2)]
    time.sleep(2)
    for guest in (cheap, *dear):
        lanes.leave(guest.seat)
    counts = sorted(len(guest.results) for guest in dear)
    assert counts[0] > 0.8 * counts[1] > 10
    assert len(cheap.results) > 0.8 * sum(counts)


def test_who_was_idle_has_saved_nothing_up(lanes):
    steps = [sleeping(0.005), lambda item: item]
    busy, idle = Guest(lanes, steps), Guest(lanes, steps, feeds=False)
    time.sleep(1)
    before = len(busy.results)
    idle.feeds = True
    idle.feed()
    time.sleep(1)
    assert 0.6 < (len(busy.results) - before) / max(len(idle.results), 1) < 1.7


def test_who_takes_no_results_is_not_worked_for_and_holds_up_nobody(lanes):
    steps = [sleeping(0.005), lambda item: item]
    deaf, other = Guest(lanes, steps, takes=False), Guest(lanes, steps)
    time.sleep(1)
    assert len(deaf.taken) <= 3  # one behind the last lane, one before each that follows
    alone = len(other.results)
    assert alone > 80


def test_a_newer_item_replaces_one_that_was_not_begun(lanes):
    entered, go_on = threading.Event(), threading.Event()

    def first(item):
        entered.set()
        go_on.wait(5)
        return item

    guest = Guest(lanes, [first, lambda item: item], feeds=False)
    assert lanes.put(guest.seat, "a")
    entered.wait(5)
    assert lanes.put(guest.seat, "b") and not lanes.put(guest.seat, "c")
    go_on.set()
    time.sleep(0.2)
    assert guest.results == ["a", "c"]


def test_an_error_is_one_visitors_own(lanes):
    def broken(item):
        raise RuntimeError("no such picture")

    bad, good = Guest(lanes, [lambda item: item, broken]), Guest(lanes, [lambda item: item, lambda item: item])
    time.sleep(0.3)
    assert str(bad.errors[0]) == "no such picture" and not bad.results
    assert len(good.results) > 10 and not good.errors


def test_leaving_in_the_middle_of_work_keeps_nothing(lanes):
    class Picture:
        pass

    entered, go_on = threading.Event(), threading.Event()

    def work(picture):
        entered.set()
        go_on.wait(5)
        return picture

    guest = Guest(lanes, [work, lambda item: item], feeds=False)
    pictures = [Picture(), Picture()]
    kept = [weakref.ref(picture) for picture in pictures]
    lanes.put(guest.seat, pictures.pop(0))
    entered.wait(5)
    lanes.put(guest.seat, pictures.pop(0))
    lanes.leave(guest.seat)
    assert not guest.gone.is_set() and kept[1]() is None  # what waited is dropped at once
    go_on.set()
    assert guest.gone.wait(5)
    guest.taken.clear()
    time.sleep(0.05)
    gc.collect()
    assert kept[0]() is None and not guest.results


def test_closing_ends_the_threads_on_their_own_thread():
    ended = []
    lanes = Lanes(("only",), time.perf_counter, at_end={"only": lambda: ended.append(threading.current_thread())})
    lanes.close()
    assert ended == list(lanes.threads) and not lanes.threads[0].is_alive()
