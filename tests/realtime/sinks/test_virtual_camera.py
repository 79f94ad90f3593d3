"""The virtual camera where there is none: what is missing, in one command. tests/devices has the real one."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import DependencyError, SinkError, UsageError
from realtime.options import Options
from realtime.outputs import live_sinks
from realtime.sinks.leaving import sends
from realtime.sinks.virtual_camera import INSTALL, LOAD, VirtualCamera, loopback_devices, what_is_missing
from tests.realtime.test_loop import Counting


class Linux:
    """A kernel with or without the module, loaded or not."""

    def __init__(self, folder: Path):
        self.loaded, self.modules = folder / "loaded", folder / "modules"
        self.modules.mkdir()

    def says(self, device: str | None = None, devices: tuple[str, ...] = ()) -> str:
        return what_is_missing(device, "linux", self.loaded, self.modules, devices)


def test_the_one_command_that_is_missing_on_linux(tmp_path):
    linux = Linux(tmp_path)
    assert linux.says().startswith(f"run: {INSTALL};") and "apt install v4l2loopback-dkms" in INSTALL
    (linux.modules / "updates").mkdir()
    (linux.modules / "updates" / "v4l2loopback.ko.xz").touch()
    assert linux.says().startswith(f"run: {LOAD};")
    assert LOAD == "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Nakedeye"
    linux.loaded.mkdir()
    assert linux.says().startswith(f"run: sudo modprobe -r v4l2loopback && {LOAD};")
    assert "devices=3 exclusive_caps=1" in linux.says(devices=("/dev/video4", "/dev/video5"))
    assert linux.says("/dev/video0", ("/dev/video4",)).endswith("run with: -o camera:/dev/video4")


@pytest.mark.parametrize(("platform", "command"), [("win32", "winget install OBS"), ("darwin", "brew install")])
def test_the_one_command_elsewhere(platform, command):
    said = what_is_missing(platform=platform)
    assert command in said and "Start Virtual Camera" in said


def test_loopback_devices_are_told_from_cameras(tmp_path):
    for name, attribute in (("video10", "max_openers"), ("video2", "max_openers"), ("video0", "index")):
        (tmp_path / name).mkdir()
        (tmp_path / name / attribute).touch()
    assert loopback_devices(tmp_path) == ["/dev/video2", "/dev/video10"]


def test_without_one_the_backends_reasons_and_the_command_are_said():
    pytest.importorskip("pyvirtualcam", reason="needs the extra `camera`")
    if not sys.platform.startswith("linux") or loopback_devices():
        pytest.skip("there is a virtual camera here")
    words = r"(?s)no virtual camera:\n  'v4l2loopback' backend: .*\nrun: sudo "
    with pytest.raises(DependencyError, match=words) as why:
        VirtualCamera((64, 48), Fraction(30))
    assert why.value.exit_code == 2
    with pytest.raises(DependencyError, match="no virtual camera"):
        live_sinks(Options(output="camera"), Counting(1), None)


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(DependencyError, match=r"extra `camera`: pip install -e '\.\[camera\]'"):
        VirtualCamera((64, 48), Fraction(30))


def test_pictures_are_fitted_and_a_camera_that_fails_is_told_of(monkeypatch):
    """The library's place is taken by one that keeps what it is given: the real one needs the kernel's module."""
    taken = []

    class Device:
        device, backend = "/dev/video9", "v4l2loopback"

        def send(self, picture):
            taken.append(picture.shape)
            if len(taken) == 2:
                raise OSError(19, "No such device")

        def close(self):
            taken.append("closed")

    monkeypatch.setattr("realtime.sinks.virtual_camera.open_camera", lambda size, rate, device: Device())
    camera = VirtualCamera((65, 48), Fraction(30))
    camera.send(np.zeros((96, 256, 3), np.uint8), 0.0)
    with pytest.raises(SinkError, match="virtual camera /dev/video9: takes no more pictures: no such device"):
        camera.send(np.zeros((48, 65, 3), np.uint8), 0.1)
    camera.close()
    assert taken == [(48, 64, 3), (48, 64, 3), "closed"]


def test_which_outputs_send():
    assert [sends(one) for one in ("camera", "camera:/dev/video2", "-", "udp://h:1", "camera.mp4", "window")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(UsageError, match="not to ftp://"):
        live_sinks(Options(output="ftp://x/y"), Counting(1), None)
