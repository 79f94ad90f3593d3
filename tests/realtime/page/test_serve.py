"""`run_live.py serve` as a person runs it, in a process of its own."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra `serve`")

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def program(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """(process, the address that it printed)."""
    command = [sys.executable, str(ROOT / "run_live.py"), "serve", "--renderer", "software", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield process, address
    finally:
        process.kill()
        process.wait()


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def status(url: str, context: ssl.SSLContext | None = None) -> int:
    try:
        return urllib.request.urlopen(url, timeout=20, context=context).status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_serves_on_loopback_without_a_token_and_ends_on_ctrl_c():
    with program("--port", "0") as (process, address):
        assert address.startswith("http://127.0.0.1:") and "token" not in address
        assert status(address) == 200
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130 and "Traceback" not in said


def test_elsewhere_the_address_carries_a_token_that_is_needed():
    with program("--host", "0.0.0.0", "--port", "0") as (process, address):
        bare, token = address.split("?token=")
        assert len(token) >= 32 and status(address) == 200 and status(bare) == 403
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 130 and "--cert" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_a_certificate_makes_it_https(tmp_path):
    pem = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")], check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text((tmp_path / "cert.pem").read_text() + (tmp_path / "key.pem").read_text())
    with program("--port", "0", "--cert", str(pem)) as (_, address):
        context = ssl.create_default_context(cafile=str(pem))
        context.check_hostname = False
        assert address.startswith("https://") and status(address, context) == 200


def test_what_cannot_be_meant_ends_with_2(tmp_path):
    for arguments in (["--token", "short"], ["--key", "x.pem"], ["--cert", str(tmp_path / "no.pem")],
                      ["--origin", "example.org"], ["--visitors", "0"], ["--port", "70000"]):  # fmt: skip
        run = ended(*arguments)
        assert run.returncode == 2 and arguments[0] in run.stderr and "Traceback" not in run.stderr, arguments


def test_a_port_in_use_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = ended("--port", str(port))
    assert run.returncode == 1 and f"127.0.0.1:{port}" in run.stderr and "--port" in run.stderr.splitlines()[-1]


def test_without_aiohttp_it_says_what_to_install():
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from realtime.cli import main\nsys.exit(main(['serve', '--port', '0']))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert run.returncode == 2 and "pip install -e '.[serve]'" in run.stderr and len(run.stderr.splitlines()) == 1
