"""The README says what the program does: commands parse, names exist, tables are complete."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from engines.manifest import read_manifest
from realtime import errors
from realtime.arguments import VERBS, parse
from realtime.options import PROVIDERS, VIEWS
from realtime.sinks.names import ENDINGS
from realtime.sinks.window_controls import KEYS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)
COMMANDS = [line.split(" #")[0].split("   #")[0].strip() for block in BLOCKS for line in block.splitlines()]


def test_it_is_short_enough_to_read():
    assert len(README.splitlines()) <= 200


def test_two_commands_set_up_and_run():
    first, second = (command for command in COMMANDS if command.startswith("python3 -m venv"))
    assert first.endswith("python run_live.py video -i realtime/demo/talking_head.mp4 -o out")
    assert second.endswith("pytest -q") and "'.[dev]'" in second
    ci = (ROOT / ".ci/run").read_text()
    assert "run_live.py video -i realtime/demo/talking_head.mp4" in ci and "pytest" in ci


@pytest.mark.parametrize("command", [one for one in COMMANDS if "run_live.py" in one])
def test_every_command_line_is_understood(command):
    arguments = shlex.split(command.split("run_live.py", 1)[1])
    assert parse(arguments).verb in VERBS


@pytest.mark.parametrize("module", sorted({m for one in COMMANDS for m in re.findall(r"python -m (tools\S+)", one)}))
def test_every_tool_exists(module):
    assert importlib.util.find_spec(module) is not None


def test_tables_are_complete():
    for verb in VERBS:
        assert f"| `{verb}` |" in README
    for view in VIEWS:
        assert re.search(rf"--view[^`]*\b{view}\b", README)
    for provider in PROVIDERS:
        assert provider == "torch" or re.search(rf"--provider[^`]*\b{provider}\b", README)
    for kind in ("noglasses", "sidebyside", "coefficients", "blendshapes", "animation"):
        assert f"`talking_head{ENDINGS[kind]}`" in README
    for key in KEYS:
        assert f"**{key.capitalize()}**" in README
    for code in (errors.EXIT_FAILURE, errors.EXIT_USAGE, errors.EXIT_NO_FACE, errors.EXIT_INTERRUPTED):
        assert re.search(rf"Exit codes:.*\b{code}\b", README, re.S)


def test_everything_it_points_to_exists():
    named = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`((?:docs|tools|realtime|engines)/[^`]*)`", README)
    assert len(named) >= 5
    missing = [name for name in named if not name.startswith("http") and not (ROOT / name).exists()]
    assert not missing


FIGURES = {  # metric in engines/models.toml: (network, how docs/paper.md writes it)
    "nme": ("landmarks", "NME {:.2%}"), "nme_true_boxes": ("landmarks", "{:.2%} in one look at true boxes"),
    "nme_rendered_glasses": ("landmarks", "{:.2%} with rendered glasses"), "iou_frame": ("deleter", "frame {:.2f}"),
    "iou_lens": ("deleter", "lenses {:.2f}"), "f1_macro": ("deleter", "macro F1 {:.2f}"),
    "psnr_dark_lens": ("generator", "PSNR {:.1f} dB"), "psnr_frame": ("generator", "frames: {:.2f} against"),
    "vertex_mm": ("coefficients", "{:.2f} mm, the mean head"),
}  # fmt: skip


@pytest.mark.parametrize("metric", FIGURES)
def test_the_papers_table_quotes_what_was_measured(metric):
    network, template = FIGURES[metric]
    table = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    listed = {(one.name, one.quality, one.precision): one for one in read_manifest()}
    stored = "int8w" if network == "coefficients" else "fp16"
    measured = listed[network, "light", stored].metrics[metric]
    assert template.format(measured).replace("%", " %") in table
