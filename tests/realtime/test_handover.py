"""The two ways frames pass from thread to thread."""

import threading

import pytest

from realtime.handover import Closed, LatestSlot, OrderedQueue


def in_thread(call):
    """Runs `call`; returns the thread and a list that gets its result or exception."""
    outcome = []

    def run():
        try:
            outcome.append(call())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def ended(thread):
    thread.join(2)
    return not thread.is_alive()


def test_a_queue_keeps_everything_in_order_and_never_holds_more_than_its_depth():
    queue = OrderedQueue(3)
    sizes = []

    def write():
        for number in range(200):
            queue.put(number)
            sizes.append(len(queue))
        queue.close()

    thread, _ = in_thread(write)
    got = []
    with pytest.raises(Closed):
        while True:
            got.append(queue.get())
    assert ended(thread) and got == list(range(200)) and max(sizes) <= 3 and queue.dropped == 0


def test_a_slot_keeps_only_the_newest_and_never_waits():
    slot = LatestSlot()
    for number in range(10):
        slot.put(number)
    assert slot.get() == 9 and slot.dropped == 9
    with pytest.raises(TimeoutError):
        slot.get(0.01)
    slot.put(10)
    slot.close()
    assert slot.get() == 10
    with pytest.raises(Closed):
        slot.get()
    with pytest.raises(Closed):
        slot.put(11)


@pytest.mark.parametrize("make", [lambda: OrderedQueue(2), LatestSlot])
def test_an_error_comes_behind_what_was_good(make):
    handover = make()
    handover.put("good")
    handover.fail(ValueError("broken"))
    assert handover.get() == "good"
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            handover.get()


def test_cancel_frees_a_waiting_writer_and_a_waiting_reader():
    full = OrderedQueue(1)
    full.put(1)
    writer, written = in_thread(lambda: full.put(2))
    empty = OrderedQueue(1)
    reader, read = in_thread(empty.get)
    full.cancel()
    empty.cancel()
    assert ended(writer) and ended(reader)
    assert isinstance(written[0], Closed) and isinstance(read[0], Closed)
    with pytest.raises(Closed):
        full.get()


def test_a_queue_without_room_is_refused():
    with pytest.raises(ValueError, match="one item at least"):
        OrderedQueue(0)
