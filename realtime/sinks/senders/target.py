"""Where avatar data go: `--send PROTOCOL://HOST[:PORT][?OPTION=VALUE&...]`, read and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from realtime.errors import UsageError
from realtime.face.model import load_face_model
from realtime.sinks.senders import ifacialmocap, livelink, openseeface, vmc
from realtime.sinks.senders.base import Encoder


@dataclass(frozen=True, slots=True)
class Protocol:
    """title: as people know it. options: name -> what it may be, in words."""

    title: str
    port: int
    options: dict[str, str]
    make: Callable[[dict[str, str]], Encoder]


def _vmc(options: dict[str, str]) -> Encoder:
    names = tuple(options.get("names", "vrm0,perfectsync").split(","))
    case = options.get("case", "pascal")
    if unknown := [name for name in names if name not in vmc.NAMES]:
        raise UsageError(f"vmc knows no names {', '.join(unknown)!r}; names={','.join(vmc.NAMES)}")
    if case not in ("pascal", "camel"):
        raise UsageError(f"vmc: case={case}: pascal or camel")
    return vmc.Vmc(names, case)


def _openseeface(options: dict[str, str]) -> Encoder:
    return openseeface.OpenSeeFace(load_face_model("live"))


PROTOCOLS: dict[str, Protocol] = {
    "vmc": Protocol(
        "VMC", vmc.PORT, {"names": "vrm0, vrm1, perfectsync, with commas", "case": "pascal or camel"}, _vmc
    ),
    "livelink": Protocol(
        "Live Link Face",
        livelink.PORT,
        {"subject": "its name in Unreal"},
        lambda options: livelink.LiveLink(options.get("subject", "Nakedeye")),
    ),
    "ifacialmocap": Protocol("iFacialMocap", ifacialmocap.PORT, {}, lambda options: ifacialmocap.IFacialMocap()),
    "openseeface": Protocol("OpenSeeFace", openseeface.PORT, {}, _openseeface),
}


@dataclass(frozen=True, slots=True)
class Target:
    """One `--send`. options: (name, value) pairs of its query."""

    protocol: str
    host: str
    port: int
    options: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """ "VMC to 127.0.0.1:39539"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{PROTOCOLS[self.protocol].title} to {host}:{self.port}"

    def encoder(self) -> Encoder:
        """Raises UsageError for an option's value that its protocol does not know."""
        return PROTOCOLS[self.protocol].make(dict(self.options))


def parse_target(text: str) -> Target:
    """A target from its words; the port is the protocol's own where none is given. Raises UsageError."""
    found = urlsplit(text if "://" in text else f"{text}://127.0.0.1")
    if found.scheme not in PROTOCOLS:
        known = ", ".join(f"{name}://HOST:{protocol.port}" for name, protocol in PROTOCOLS.items())
        raise UsageError(f"{text}: nothing can be sent so; known: {known}")
    protocol = PROTOCOLS[found.scheme]
    try:
        port = protocol.port if found.port is None else found.port
    except ValueError:
        port = 0
    if not 0 < port < 65536 or found.path not in ("", "/"):
        raise UsageError(f"{text}: wanted is {found.scheme}://HOST:PORT, such as {found.scheme}://127.0.0.1:{protocol.port}")
    options = tuple(parse_qsl(found.query, keep_blank_values=True))
    if unknown := [name for name, _ in options if name not in protocol.options]:
        known = ", ".join(f"{name} ({meaning})" for name, meaning in protocol.options.items()) or "none"
        raise UsageError(f"{text}: {found.scheme} has no option {unknown[0]!r}; it has {known}")
    target = Target(found.scheme, found.hostname or "127.0.0.1", port, options)
    target.encoder()
    return target
