"""Sends every frame's faces to one receiver. UDP, never waiting: what the network will not take is dropped."""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError, reason
from realtime.face.coefficients import pose
from realtime.frame import Face
from realtime.meter import Clock
from realtime.sinks.base import Shot
from realtime.sinks.senders.base import Encoder, Moment
from realtime.sinks.senders.target import Target

logger = logging.getLogger(__name__)

RATE_S = 1.0  # seconds over which a rate is taken
UNHEARD = "nobody is listening there; start the receiver, or correct --send"


class SenderSink:
    """A `Target` served. rate: of the source, frames a second.

    Raises SinkError for a host that has no address. A receiver that is absent is said once, and sent to all the same.
    """

    paths: tuple[Path, ...] = ()

    def __init__(self, target: Target, rate: Fraction, clock: Clock = time.perf_counter):
        self.target, self.packets, self.failed = target, 0, 0
        self._rate, self._clock = rate, clock
        self._encoder: Encoder = target.encoder()
        self._foremost: int | None = None
        self._sent_s: deque[float] = deque(maxlen=512)  # when frames were sent
        self._complained = False
        self._socket = connect(target)
        logger.info("sending %s", target.title)

    def write(self, shot: Shot) -> None:
        image = shot.original.image
        moment = Moment(shot.original.time_s, self._rate, (image.shape[1], image.shape[0]))
        faces = [face for face in shot.faces if face.drive is not None and face.coefficients is not None]
        packets = self._encoder.encode(faces if self._encoder.many else self._one(faces), moment)
        for packet in packets:
            self._send(packet)
        if packets:
            self._sent_s.append(self._clock())

    def close(self) -> None:
        self._socket.close()
        lost = f", {self.failed} not taken" if self.failed else ""
        logger.info("%s: %d packets sent%s", self.target.title, self.packets, lost)

    @property
    def rate(self) -> float:
        """Frames a second that were sent lately, 0 when nothing was for `RATE_S`."""
        now = self._clock()
        lately = [at for at in self._sent_s if now - at <= RATE_S]
        return (len(lately) - 1) / max(lately[-1] - lately[0], 1e-6) if len(lately) > 1 else 0.0

    @property
    def status(self) -> str:
        """A line for the window: "VMC to 127.0.0.1:39539, 30/s"."""
        return f"{self.target.title}, {self.rate:.0f}/s" + (" (nobody listening)" if self._complained else "")

    def _one(self, faces: Sequence[Face]) -> Sequence[Face]:
        """The face that was sent before while it is there, else the largest."""
        if not faces:
            return ()
        same = [face for face in faces if face.track == self._foremost]
        face = same[0] if same else max(faces, key=_size)
        self._foremost = face.track
        return (face,)

    def _send(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
            self.packets += 1
        except BlockingIOError:
            self.failed += 1
        except (ConnectionRefusedError, ConnectionResetError):  # the answer to an earlier packet
            self.failed += 1
            self._complain(UNHEARD)
        except OSError as error:
            self.failed += 1
            self._complain(reason(error))

    def _complain(self, why: str) -> None:
        if not self._complained:
            self._complained = True
            logger.warning("%s: %s", self.target.title, why)


def connect(target: Target, open_socket: Callable[..., socket.socket] = socket.socket) -> socket.socket:
    """A UDP socket that sends to the target and never blocks. Raises SinkError."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise SinkError(f"{target.title}: {target.host} has no address: {reason(error)}") from error
    family, kind, protocol, _, address = found[0]
    made = open_socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.connect(address)
    except OSError as error:
        made.close()
        raise SinkError(f"{target.title}: {reason(error)}") from error
    return made


def _size(face: Face) -> float:
    assert face.coefficients is not None
    return pose(face.coefficients).scale
