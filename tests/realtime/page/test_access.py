import pytest

from realtime.errors import UsageError
from realtime.page.access import Refused, decide_access, is_loopback, security_headers


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.0.0.53", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.4", False), ("example.org", False)],
)  # fmt: skip
def test_who_is_not_on_loopback_gets_a_token(host, loopback):
    access = decide_access(host, None, ())
    assert is_loopback(host) is loopback and (access.token is None) is loopback
    if not loopback:
        assert len(access.token) >= 32 and access.token != decide_access(host, None, ()).token


@pytest.mark.parametrize("given", [{}, {"token": ""}, {"token": "wrong"}, {"token": "a-token-of-enough-length-"}])
def test_without_the_token_nobody_comes_in(given):
    access = decide_access("0.0.0.0", "a-token-of-enough-length", ())
    with pytest.raises(Refused):
        access.check_token(given)
    access.check_token({"token": "a-token-of-enough-length"})


@pytest.mark.parametrize(("token", "origins"), [("short", ()), (None, ("example.org",)), (None, ("https://a.org/b",))])
def test_bad_wishes_are_usage_errors(token, origins):
    with pytest.raises(UsageError):
        decide_access("127.0.0.1", token, origins)


@pytest.mark.parametrize("host", ["localhost:8765", "127.0.0.1:8765", "[::1]:8765", "proxy.example"])
def test_names_of_this_machine_are_answered(host):
    decide_access("127.0.0.1", None, ("https://proxy.example",)).check_host(host)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[::1"])
def test_a_foreign_name_that_points_here_is_not(host):
    with pytest.raises(Refused):
        decide_access("127.0.0.1", None, ("https://proxy.example",)).check_host(host)


def test_only_our_own_page_may_connect():
    access = decide_access("127.0.0.1", None, ("https://proxy.example",))
    access.check_origin("http://localhost:8765", "http", "localhost:8765")
    access.check_origin("https://proxy.example", "http", "localhost:8765")
    for origin in (None, "null", "http://evil.example", "https://localhost:8765", "http://localhost:1234"):
        with pytest.raises(Refused):
            access.check_origin(origin, "http", "localhost:8765")


def test_the_policy_lets_nothing_from_elsewhere_in():
    policy = security_headers("localhost:8765")["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';") and "unsafe" not in policy
    assert "ws://localhost:8765" in policy and "frame-ancestors 'none'" in policy
    assert "evil" not in security_headers("evil.org; script-src *")["Content-Security-Policy"]
