"""Ctrl-C where Python drops its KeyboardInterrupt: it ends the program all the same."""

import gc
import signal
import subprocess
import sys
import threading
import weakref

import pytest

from realtime.interruption import check, interrupted, interruptible
from tests.realtime.test_loop import ENDLESS

SWALLOWED = """
import signal, weakref
from realtime.interruption import interruptible

class Anything:
    pass

def swallow():
    one = Anything()
    kept = weakref.ref(one, lambda _: signal.raise_signal(signal.SIGINT))
    del one
"""


def swallow() -> None:
    """A KeyboardInterrupt that Python ignores."""

    class Anything:
        pass

    one = Anything()
    kept = weakref.ref(one, lambda _: signal.raise_signal(signal.SIGINT))
    del one
    gc.collect()
    assert kept() is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_was_swallowed_is_raised_at_the_next_look():
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as interruption:
        check()
        assert not interrupted()
        swallow()
        assert interrupted() and interruption.noted
        with pytest.raises(KeyboardInterrupt):
            check()
        with interruptible() as inner:
            assert inner is interruption
        assert interrupted()
    assert signal.getsignal(signal.SIGINT) is before and not interrupted()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_is_a_keyboard_interrupt_where_nothing_swallows_it(number):
    with interruptible() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert interruption.noted


def test_another_thread_leaves_the_handlers_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def ended(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_a_loop_that_begins_after_a_swallowed_one_ends_at_once():
    start = "    Loop(Endless()"
    assert start in ENDLESS
    program = SWALLOWED + ENDLESS.replace(start, "  with interruptible():\n    swallow()\n    Loop(Endless()")
    found = ended(program)
    assert found.returncode == 130 and "interrupted after 0 frames" in found.stdout, found.stderr
    assert "sink closed" in found.stdout and "source closed" in found.stdout


@pytest.mark.parametrize("verb", ["swallow()", "swallow(); raise ImportError('half a module')", "swallow(); return 0"])
def test_a_verb_that_swallows_it_ends_with_130(verb):
    program = SWALLOWED + (
        "import sys, realtime.cli as cli\n"
        f"def verb(options):\n    {verb}\n"
        "cli.verb_of = lambda options: verb\n"
        "sys.exit(cli.main(['doctor']))\n"
    )
    found = ended(program)
    assert found.returncode == 130 and found.stderr.splitlines()[-1] == "error: interrupted"
