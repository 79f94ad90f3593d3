"""Whether avatar data would arrive, for `doctor`: (True works, False does not, None cannot be said) and a line."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from realtime.errors import SinkError, reason
from realtime.meter import Clock
from realtime.sinks.senders.sink import UNHEARD, connect
from realtime.sinks.senders.target import PROTOCOLS, Target

TRIES, PAUSE_S = 10, 0.02


def probe_target(
    target: Target, clock: Clock = time.perf_counter, sleep: Callable[[float], None] = time.sleep
) -> tuple[bool | None, str]:
    """Sends nothing that moves an avatar: empty datagrams, which a closed port of a machine nearby answers."""
    try:
        sender = connect(target)
    except SinkError as error:
        return False, str(error)
    sent, start = 0, clock()
    with sender:
        for _ in range(TRIES):
            try:
                sender.send(b"")
                sent += 1
            except (ConnectionRefusedError, ConnectionResetError):
                return False, f"{target.title}: {UNHEARD}"
            except OSError as error:
                return False, f"{target.title}: {reason(error)}"
            sleep(PAUSE_S)
    per_second = sent / max(clock() - start, 1e-6)
    return True, f"{target.title}: packets leave, {per_second:.0f}/s tried; no answer says that they do not arrive"


def probe_default(name: str) -> tuple[bool | None, str]:
    """Whether a program on this machine listens on the protocol's own port. Sends nothing."""
    target = Target(name, "127.0.0.1", PROTOCOLS[name].port)
    wish = f"--send {name}://127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        try:
            own.bind((target.host, target.port))
        except OSError:
            return True, f"{target.title}: a receiver listens; {wish}"
    return None, f"{target.title}: no receiver runs on this machine; to another: --send {name}://HOST"
