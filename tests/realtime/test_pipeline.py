"""The stages joined: with scripted networks for the wiring, with the shipped weights where a test needs real faces."""

import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.face.coefficients import SLICES, pose
from realtime.face.light import AMBIENT
from realtime.frame import Glasses
from realtime.options import Options
from realtime.pipeline import Pipeline, Switches, build_groups, networks_of
from tests.realtime.stages.conftest import ScriptedNetwork, landmarks_at, picture_of

pytestmark = pytest.mark.usefixtures("any_spread")

FACES = (landmarks_at((180, 240), 90), landmarks_at((460, 240), 90))


def networks() -> dict[str, ScriptedNetwork]:
    """Two faces with clear glasses in every picture."""
    boxes = np.stack([np.r_[points.min(0), points.max(0)] for points in FACES])

    def detect(inputs):
        scale = inputs["image"].shape[3] / 640
        return {"boxes": boxes[None] * scale, "scores": np.full((1, 2), 0.9)}

    points = landmarks_at((0, 0), 100)
    points = ((points - (points.min(0) + points.max(0)) / 2) * 128 / 1.45 / np.ptp(points, 0).max() + 63.5)[None]
    glasses = np.zeros((1, 4, 128, 256), np.float32)
    glasses[0, 0, 50:56, 60:200] = 0.9
    labels = np.where(glasses[:, 0] > 0.5, Region.FRAME, Region.SKIN).astype(np.uint8)
    coefficients = np.zeros((1, 239), np.float32)
    coefficients[0, SLICES["pose"]] = [0, 0, 0, 1.15, 127.5, 104]
    coefficients[0, SLICES["light"]] = AMBIENT
    return {
        "detector": ScriptedNetwork(detect),
        "landmarks": ScriptedNetwork(lambda _: {"points": points, "confidence": np.array([[0.95]])}),
        "deleter": ScriptedNetwork(lambda _: {
            "labels": labels, "glasses": glasses, "kind": np.array([[0.1, 0.8, 0.1]]),
            "shadow": np.ones((1, 3, 128, 256), np.float32),
        }),
        "generator": ScriptedNetwork(lambda _: {"strip_filled": np.full((1, 3, 128, 256), 0.5, np.float32)}),
        "coefficients": ScriptedNetwork(lambda _: {"coefficients": coefficients}),
        "lenses": ScriptedNetwork(lambda _: {"scale": np.array([[1.1]], np.float32)}),
        "recogniser": ScriptedNetwork(lambda _: {"features": np.eye(1, 128, dtype=np.float32)}),
        "lids": ScriptedNetwork(lambda _: {"gap": np.array([[0.3]], np.float32)}),
        "refiner": ScriptedNetwork(lambda inputs: {"texture_final": inputs["texture"]}),
    }  # fmt: skip


@pytest.fixture
def run():
    """(options, frames) -> the last frame and faces, the networks, the pipeline. colour: (3,) all of T_final."""

    def run(options: Options, frames: int = 3, colour=None, **more):
        engines, switches = networks(), Switches(options.remove, options.smooth)
        if colour is not None:
            engines["refiner"].answer = lambda inputs: {"texture_final": 0 * inputs["texture"] + np.float32(colour)}
        pipeline = Pipeline(build_groups(options, engines, switches, **more), switches)
        for index in range(frames):
            frame, faces = pipeline(picture_of(index=index))
        return frame, faces, engines, pipeline

    return run


def test_every_face_goes_through_every_stage(run):
    frame, faces, engines, _ = run(Options())
    assert [face.track for face in faces] == [0, 1]
    for face, points in zip(faces, FACES, strict=True):
        assert face.glasses is Glasses.CLEAR and face.mask is not None and face.texture is not None
        assert face.drive is not None and len(face.drive.shapes) == 52
        assert abs(pose(face.coefficients).x - points[27:31, 0].mean()) < 25
    assert frame.original is not None and (frame.image != frame.original).any()
    assert {name: len(engine.asked) for name, engine in engines.items()} == {
        "detector": 1, "landmarks": 20, "deleter": 6, "generator": 6, "coefficients": 6, "lids": 12,
        "refiner": 2, "lenses": 4, "recogniser": 2,
    }  # fmt: skip


def test_without_removal_the_picture_stays_and_two_networks_rest(run):
    frame, faces, engines, _ = run(Options(remove=False))
    assert frame.original is None and not engines["deleter"].asked and not engines["generator"].asked
    assert all(face.coefficients is not None and face.glasses is Glasses.NONE for face in faces)
    assert networks_of(Options(remove=False)) == (
        "detector", "landmarks", "coefficients", "recogniser", "lids", "refiner",
    )  # fmt: skip


def test_the_face_wears_what_was_asked_for(run):
    """The refiner's blue where the camera has seen nothing, everywhere, or nowhere."""
    shares = {}
    for texture in ("live", "refined", "model"):
        _, faces, engines, _ = run(Options(texture=texture), colour=[0, 0, 0.9])
        if texture == "model":
            assert faces[0].texture is None and not engines["refiner"].asked
            assert "refiner" not in networks_of(Options(texture=texture))
            continue
        rgba = faces[0].texture[faces[0].texture[..., 3] == 255].astype(int)
        shares[texture] = (rgba[:, 2] > rgba[:, 0] + 60).mean()
    assert shares["refined"] == 1 and 0.2 < shares["live"] < 0.95


def test_removal_can_be_switched_while_it_runs(run):
    _, _, _, pipeline = run(Options())
    pipeline.switches.remove = False
    frame, _ = pipeline(picture_of(index=3))
    assert frame.original is None
    pipeline.switches.remove = True
    frame, _ = pipeline(picture_of(index=4))
    assert frame.original is not None


def test_most_faces_is_kept(run):
    assert len(run(Options(faces=1))[1]) == 1


def test_each_still_is_a_scene_of_its_own(run):
    frame, faces, engines, _ = run(Options(), frames=2, stills=True)
    assert frame.cut and len(faces) == 2 and [face.track for face in faces] == [2, 3]
    assert len(engines["detector"].asked) == 4  # two sizes for each


def test_the_same_frames_give_the_same_faces(run):
    first, second = run(Options(), frames=5)[1], run(Options(), frames=5)[1]
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.coefficients, b.coefficients)
        np.testing.assert_array_equal(a.crop, b.crop)
