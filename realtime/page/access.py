"""Who may come in: token, Host and Origin of a request, and the headers that keep the page to itself."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from realtime.errors import UsageError

LEAST_TOKEN = 16  # characters of a token that a person chose
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Refused(Exception):
    """A request that is not served; the message says why, for the person who sees it."""


@dataclass(frozen=True, slots=True)
class Access:
    """token: what a request must carry as `?token=`, None: nothing. origins: further origins whose pages may connect.

    loopback: only names of this machine are accepted as Host, so that no foreign name can be pointed at it.
    """

    token: str | None
    origins: tuple[str, ...] = ()
    loopback: bool = True

    def check_token(self, query: Mapping[str, str]) -> None:
        """Raises Refused."""
        given = query.get("token", "")
        if self.token is not None and not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Refused("This page needs the token that the program printed: open the address that it showed.")

    def check_host(self, host: str) -> None:
        """Raises Refused. host: the request's Host header."""
        allowed = [urlsplit(origin).netloc for origin in self.origins]
        if self.loopback and host not in allowed and _name_of(host) not in LOOPBACK_NAMES:
            raise Refused(f"This server does not answer to the name {host[:80]}; use localhost.")

    def check_origin(self, origin: str | None, scheme: str, host: str) -> None:
        """Raises Refused unless a page of ours asks. origin: None without the header, which browsers send."""
        if origin is None or origin.rstrip("/") not in (f"{scheme}://{host}", *self.origins):
            raise Refused("Only the page of this server may connect to it (Origin).")


def decide_access(host: str, token: str | None, origins: tuple[str, ...]) -> Access:
    """Everyone on loopback; elsewhere only who has the token, made up where none is given. Raises UsageError."""
    loopback = is_loopback(host)
    if token is None and not loopback:
        token = secrets.token_urlsafe(24)
    if token is not None and len(token) < LEAST_TOKEN:
        raise UsageError(f"--token: at least {LEAST_TOKEN} characters, or leave it out: one is made up")
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
            raise UsageError(f"--origin {origin}: an origin looks like https://example.org or http://example.org:8080")
    return Access(token, origins, loopback)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that binds to `host` (a name or an address)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def security_headers(host: str) -> dict[str, str]:
    """For every answer. host: the request's Host header, checked; some browsers do not count ws: as 'self'."""
    sockets = f"ws://{host} wss://{host}" if host and not set(host) - HOST_CHARACTERS else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
        f"worker-src 'self'; connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_")


def _name_of(host: str) -> str:
    """`[::1]:80` -> `::1`, `localhost:80` -> `localhost`."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
