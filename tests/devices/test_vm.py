"""The tests of this folder on real V4L2 devices, in a virtual machine: any machine and any user can run them."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.devices.vm import find_kernel, run_inside

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "vivid n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0x0,0x0",
    "v4l2loopback devices=1 exclusive_caps=1 card_label=Nakedeye",
)
EXPECTED = {
    "test_camera": 13,
    "test_virtual_camera": 2,
}
LONGEST_S = 1500  # in software; a fraction of that where nothing else runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * LONGEST_S + 60)]


def test_cameras_and_virtual_cameras_of_a_real_kernel(tmp_path):
    kernel = find_kernel()
    if isinstance(kernel, str):
        pytest.skip(kernel)
    pytest.importorskip("pyvirtualcam", reason="needs the extra `camera`")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "600", "--junitxml",
               "/run/out/report.xml", *(f"tests/devices/{name}.py" for name in EXPECTED)]  # fmt: skip
    environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment |= {"HOME": "/root", "OPENBLAS_NUM_THREADS": "1"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    for scratch in (tmp_path / "first", tmp_path / "second"):  # where it did not even start: once more
        scratch.mkdir()
        ended = run_inside(command, ROOT, scratch, kernel, MODULES, environment, LONGEST_S)
        if ended.status is not None or ended.output:
            break
    assert ended.status == 0, ended.output or ended.console
    cases = list(ElementTree.parse(scratch / "out" / "report.xml").iter("testcase"))
    ran = [case.get("classname", "").rpartition(".")[2] for case in cases if case.find("skipped") is None]
    assert {name: ran.count(name) for name in EXPECTED} == EXPECTED, ended.output
