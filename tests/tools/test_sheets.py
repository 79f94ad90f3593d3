"""The sheets of real photographs: the failure score on failures that are known, the pages, the program."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.frame import Face, Glasses
from tools.sheets import __main__ as program
from tools.sheets.chain import Shown
from tools.sheets.choose import WORST, others, read_names
from tools.sheets.failure import MOST, PARTS, Failure, FailureScore, border_parts, ghost_of
from tools.sheets.pages import PER_PAGE, pages, tile

from tests.tools.photographs import mean_face, write_photographs  # isort: skip
from tools.photos import Photographs  # isort: skip


@pytest.fixture
def skin() -> np.ndarray:
    """(128, 256, 3) textured like skin."""
    noise = np.random.default_rng(0).normal(0, 6, (128, 256, 1)).astype(np.float32)
    return np.clip(np.array([200, 160, 140]) + cv2.GaussianBlur(noise, (0, 0), 0.8)[..., None] * 2, 0, 255).astype(
        np.uint8
    )


@pytest.fixture
def hole() -> np.ndarray:
    """(128, 256) 0/1: two rims."""
    mask = np.zeros((128, 256), np.uint8)
    for x in (80, 176):
        cv2.ellipse(mask, (x, 64), (34, 26), 0, 0, 360, 1, 13)
    return mask


def test_each_failure_raises_its_own_part(skin: np.ndarray, hole: np.ndarray) -> None:
    inside = hole[..., None] > 0
    ideal = border_parts(skin, hole)
    pale = border_parts(np.where(inside, np.minimum(skin + 40, 255), skin).astype(np.uint8), hole)
    smooth = border_parts(np.where(inside, cv2.GaussianBlur(skin, (0, 0), 4), skin), hole)
    assert abs(ideal["seam"]) < 0.2 and abs(ideal["blur"]) < 0.1 and ideal["colour"] < 1
    assert pale["colour"] > ideal["colour"] + 5 and pale["seam"] > 0.8
    assert smooth["blur"] > ideal["blur"] + 0.7 and smooth["colour"] < 2
    assert set(border_parts(skin, np.zeros_like(hole)).values()) == {0.0}


def test_a_ghost_is_the_share_of_the_rim_that_is_left(skin: np.ndarray, hole: np.ndarray) -> None:
    rim = cv2.GaussianBlur(cv2.erode(hole, np.ones((5, 5), np.uint8)) * np.float32(1), (0, 0), 1)[..., None]
    before = (skin * (1 - 0.8 * rim)).astype(np.uint8)
    half = (skin * (1 - 0.4 * rim)).astype(np.uint8)
    assert ghost_of(before, before, hole) == pytest.approx(1)
    assert ghost_of(before, half, hole) == pytest.approx(0.5, abs=0.08)
    assert abs(ghost_of(before, skin, hole)) < 0.1


class Deleter:
    """Sees a frame in as many of the strip's pixels as are black."""

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        glasses = np.zeros((1, 4, 128, 256), np.float32)
        glasses[0, 0] = inputs["strip"][0].max(0) < 0.1
        return {"glasses": glasses, "labels": np.zeros((1, 128, 256), np.uint8)}


class Landmarks:
    """Always the same points."""

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"points": (mean_face() * 70 + 64)[None], "confidence": np.ones((1, 1))}


def test_what_the_deleter_still_sees_counts_and_parts_are_capped() -> None:
    clean = np.full((256, 256, 3), 170, np.uint8)
    points = (mean_face() * 150 + 128).astype(np.float32)
    left = clean.copy()
    left[100:104, 60:200] = 0
    judge, mask = FailureScore(Deleter(), Landmarks()), np.zeros((256, 256), np.uint8)
    good, bad = judge.judge(left, clean, mask, points), judge.judge(left, left, mask, points)
    assert good.parts["left"] == 0 and bad.parts["left"] == pytest.approx(100 * 4 * 140 / (128 * 256))
    assert bad.scaled["left"] == MOST and bad.score >= good.score + MOST - 1e-6 and set(bad.parts) == set(PARTS)


def shown(name: str, level: int) -> Shown:
    face = Face(1, np.zeros(4, np.float32), np.zeros((68, 2), np.float32), glasses=Glasses.CLEAR)
    picture, mask = np.full((256, 256, 3), level, np.uint8), np.zeros((256, 256), np.uint8)
    mask[60:90, 60:90] = 255
    return Shown(name, face, picture, picture, picture, mask)


def test_pages_hold_numbered_tiles() -> None:
    failure = Failure(dict.fromkeys(PARTS, 1.0))
    tiles = [tile(i, shown(f"helen/{i}.webp", 200), failure, f"helen/{i}.webp") for i in range(PER_PAGE)]
    tiles.append(tile(99, None, None, "helen/none.webp"))
    assert {one.shape for one in tiles} == {(208, 1024, 3)}
    assert tiles[0][16 + 60, 256 + 75].tolist() != [200, 200, 200] and tiles[0][:16].max() > 200
    assert [page.shape[1] for page in pages(tiles)] == [2052, 2052]


def test_photographs_are_drawn_from_every_set_in_turn_and_never_twice(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    photos = Photographs(tmp_path)
    names = list(others(photos, {"helen/0.webp"}, 0))
    assert len(names) == len(set(names)) == 11 and "helen/0.webp" not in names
    assert names == list(others(photos, {"helen/0.webp"}, 0)) and {n.split("/")[0] for n in names[:2]} == {
        "aaf",
        "helen",
    }


def test_the_regression_list_holds_names_only() -> None:
    names = read_names(WORST)
    assert len(names) == len(set(names)) == 20 and all(len(name.split("/")) == 2 for name in names)


def test_the_program_shows_a_list_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photographs(tmp_path)
    listed = tmp_path / "names.txt"
    listed.write_text("# a comment\nhelen/0.webp\naaf/1.webp\n")

    def judge(options: argparse.Namespace) -> list[program.Judged]:
        failures = [Failure({**dict.fromkeys(PARTS, 0.0), "left": left}) for left in (0.0, 2.0)]
        return [(n, shown(n, 100), f) for n, f in zip(read_names(options.names), failures, strict=True)]

    monkeypatch.setattr(program, "judge", judge)
    out = tmp_path / "out"
    assert program.main(["--data", str(tmp_path), "--out", str(out), "--names", str(listed)]) == 0
    assert read_names(out / "names.txt") == ["aaf/1.webp", "helen/0.webp"], "the worst first"
    figures = json.loads((out / "sheets.json").read_text())
    assert figures["photographs"] == 2 and figures["each"]["aaf/1.webp"]["left"] == 2
    assert (out / "page-00.jpg").stat().st_size > 1000
    monkeypatch.undo()
    assert program.main(["--data", str(tmp_path / "none"), "--out", str(out)]) == 1
    assert "no photographs" in capsys.readouterr().err
