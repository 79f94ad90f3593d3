import subprocess
import sys
from pathlib import Path

import pytest

from realtime.arguments import parse
from realtime.cli import explain, main
from realtime.errors import DependencyError, NoFaceFound, SourceError

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run_live.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def test_live_is_the_verb_of_who_names_none():
    assert parse([]).verb == "live" and parse([]).input == "0"
    options = parse(["-i", "clip.mp4", "--no-remove", "--size", "1280x720", "--smooth", "0.8"])
    assert (options.verb, options.remove, options.size, options.smooth) == ("live", False, (1280, 720), 0.8)


def test_every_switch_has_its_no_form():
    for name in ("remove", "landmarks", "mirror", "sound", "adapt"):
        assert getattr(parse(["live", f"--{name}"]), name) is True
        assert getattr(parse(["live", f"--no-{name}"]), name) is False


def test_avatar_data_go_to_as_many_as_asked():
    sends = ["--send", "vmc://10.0.0.2", "--send", "livelink://studio:11111"]
    options = parse(["live", *sends, "--livelink-csv", "a.csv"])
    assert options.send == ("vmc://10.0.0.2", "livelink://studio:11111") and options.livelink_csv == Path("a.csv")
    assert parse(["doctor", "--send", "vmc"]).send == ("vmc",) and parse([]).send == ()
    options = parse(["image", "-i", "a.jpg", *sends, "--livelink-csv", "a.csv"])
    assert len(options.send) == 2 and options.livelink_csv == Path("a.csv")


@pytest.mark.parametrize(
    "arguments",
    [["fly"], ["video"], ["live", "--smooth", "2"], ["live", "--size", "big"], ["live", "--faces", "0"],
     ["bench", "--provider", "abacus"], ["live", "--frames", "-3"], ["live", "--fps", "0"]],
)  # fmt: skip
def test_bad_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [(SourceError("x"), 1), (DependencyError("x"), 2), (NoFaceFound("x"), 3), (ZeroDivisionError("x"), 1)],
)
def test_every_failure_has_its_exit_code(error, code):
    assert explain(error) == code


def test_a_missing_file_is_one_line_that_names_it(tmp_path):
    ended = run("video", "-i", str(tmp_path / "absent.mp4"), "-o", str(tmp_path))
    assert ended.returncode == 1 and ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1 and "absent.mp4" in ended.stderr


def test_help_is_quick_and_lists_the_verbs():
    ended = run("--help")
    assert ended.returncode == 0
    for verb in ("live", "video", "image", "cameras", "bench", "build", "serve", "doctor"):
        assert f"\n    {verb} " in ended.stdout


def test_without_a_display_live_says_what_to_do(tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display server")
    ended = run("live", "-i", "pattern:5", env={"PATH": "/usr/bin:/bin"}, cwd=ROOT)
    assert ended.returncode == 2 and "no display" in ended.stderr and "video" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_no_module_of_the_run_time_imports_torch():
    """Every module of the run time is imported in a process of its own; torch stays out."""
    code = (
        "import importlib, pkgutil, sys\n"
        "import engines, realtime, shaders\n"
        "skip = ('engines.networks', 'engines.run_torch', 'engines.export', 'engines.parity')\n"
        "for room in (realtime, shaders, engines):\n"
        "    for found in pkgutil.walk_packages(room.__path__, room.__name__ + '.', onerror=lambda name: None):\n"
        "        if not found.name.startswith(skip):\n"
        "            try:\n"
        "                importlib.import_module(found.name)\n"
        "            except ModuleNotFoundError as missing:  # rooms of an extra that is not installed\n"
        "                if missing.name.partition('.')[0] not in ('aiohttp', 'aiortc', 'ray'):\n"
        "                    raise\n"
        "import engines.networks.classes\n"
        "assert 'torch' not in sys.modules, sorted(name for name in sys.modules if 'torch' in name)[:3]\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]
