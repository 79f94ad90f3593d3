import cv2
import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.align import aligned_crop, crop_from_landmarks, invert
from realtime.arguments import parse
from realtime.face.coefficients import COUNT, SLICES, move_pose
from realtime.face.model import load_face_model
from realtime.frame import Face, Frame
from realtime.options import Options
from realtime.pipeline import Switched, Switches, build_groups, networks_of
from realtime.stages.remember import Remember
from tests.realtime.stages.conftest import ScriptedNetwork, face_at, picture_of

BAR = (slice(40 + 50, 40 + 62), slice(60, 200))  # of the crop


def tracked(frame: Frame, worn: bool) -> Face:
    """A face with coefficients, and with a bar deleted and filled with grey when it is worn."""
    face = face_at()
    crop_from_frame = crop_from_landmarks(face.landmarks)
    crop = aligned_crop(frame.image, crop_from_frame)
    coefficients = np.zeros(COUNT, np.float32)
    coefficients[SLICES["pose"]] = [0, 0, 0, 1.15, 127.5, 104]
    mask = None
    if worn:
        mask = np.zeros((256, 256), np.uint8)
        mask[BAR] = 255
        crop[BAR] = 128
    return face.with_(
        crop=crop, crop_from_frame=crop_from_frame, labels=np.full((128, 256), Region.SKIN, np.uint8), mask=mask,
        coefficients=move_pose(coefficients, invert(crop_from_frame)),
    )  # fmt: skip


def soft_picture(index: int = 0, cut: bool = False) -> Frame:
    """Blotches on a mid tone, as skin has them."""
    picture = cv2.GaussianBlur(picture_of(5).image, (0, 0), 6) // 4 + np.uint8(100)
    return Frame(picture, index, pts=index, cut=cut)


def run(stage: Remember, frames: list[tuple[bool, bool]]) -> tuple[Frame, Frame, Face]:
    """Frames (worn, cut) one after the other; the last one before, after, and its face."""
    for index, (worn, cut) in enumerate(frames):
        before = soft_picture(index, cut)
        after, (face,) = stage(before, (tracked(before, worn),))
    return before, after, face


def test_skin_seen_without_glasses_comes_back_when_they_are_put_on():
    stage = Remember(load_face_model("live"), bare_every=1)
    _, after, face = run(stage, [(False, False)] * 6 + [(True, False)] * 3)
    truth = tracked(soft_picture(), False).crop
    known = np.zeros((256, 256), bool)
    known[40:168] = face.remembered > 200
    assert known[BAR].mean() > 0.4 and not known[tracked(soft_picture(), True).mask == 0].any()
    assert np.abs(face.crop[known].astype(int) - truth[known]).mean() < 2
    assert np.abs(128 - truth[known].astype(int)).mean() > 5
    assert (after.image != soft_picture().image).any()


def test_only_the_mask_changes_and_never_the_given_picture():
    stage = Remember(load_face_model("live"), bare_every=1)
    before, _, face = run(stage, [(False, False)] * 6 + [(True, False)])
    np.testing.assert_array_equal(before.image, soft_picture().image)
    outside = tracked(before, True).mask == 0
    np.testing.assert_array_equal(face.crop[outside], tracked(before, True).crop[outside])


@pytest.mark.parametrize("frames", [[(False, False)] * 9, [(False, False)] * 6 + [(True, True)], [(True, False)] * 5])
def test_without_glasses_after_a_cut_or_when_nothing_was_seen_all_stays(frames):
    before, after, face = run(Remember(load_face_model("live"), bare_every=1), frames)
    if face.remembered is None:
        assert after is before
    else:  # beside the mask's soft edge alone
        assert face.remembered[50:62].mean() < 2


def test_faces_that_were_not_parsed_pass():
    before = soft_picture()
    assert Remember(load_face_model("live"))(before, (face_at(),))[0] is before


@pytest.mark.parametrize(("line", "there"), [([], True), (["--no-memory"], False), (["--no-remove"], False)])
def test_it_can_be_turned_off(line, there):
    options = parse(["video", "-i", "clip.mp4", *line])
    engines = {name: ScriptedNetwork(lambda _: {}) for name in networks_of(options)}
    for stills in (False, True):
        groups = build_groups(options, engines, Switches(options.remove), stills=stills)
        names = [stage.name for group in groups for stage in group.stages]
        assert ("remember" in names) == (there and not stills)
        if "remember" in names:
            assert names.index("remember") > names.index("regress")
            assert isinstance(groups[-1].stages[names[::-1].index("remember") * -1 - 1], Switched)
    assert Options().memory
