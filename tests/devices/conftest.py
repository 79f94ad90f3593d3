"""Real V4L2 devices for tests: the kernel's own test cameras (vivid) and a loopback. Skips where there are none."""

from __future__ import annotations

import sys

import pytest

from realtime.sources.cameras import Camera, list_cameras


def vivid_cameras() -> list[Camera]:
    """Those of vivid."""
    return [camera for camera in list_cameras() if "vivid" in camera.name] if sys.platform == "linux" else []




@pytest.fixture
def vivid() -> list[Camera]:
    cameras = vivid_cameras()
    if len(cameras) < 2:
        pytest.skip("needs two of the kernel's test cameras: modprobe vivid n_devs=2 (test_vm.py runs this inside)")
    return cameras


@pytest.fixture
def loopback() -> str:
    from realtime.sinks.virtual_camera import loopback_devices

    pytest.importorskip("pyvirtualcam", reason="needs the extra `camera`")
    devices = loopback_devices() if sys.platform == "linux" else []
    if not devices:
        pytest.skip("needs v4l2loopback: modprobe v4l2loopback exclusive_caps=1 (test_vm.py runs this inside)")
    return devices[0]
