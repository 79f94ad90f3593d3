"""Eyeglasses on a plain head: what is drawn, what is left alone, and that labels say where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.networks.classes import Region
from realtime.frame import Glasses
from tools.factory.environment import sample_environment
from tools.factory.glasses import Part, front_points, sample_design, wear_design
from tools.factory.head import head_maps, pose_head
from tools.factory.layers import draw_layers
from tools.factory.light import SceneLight
from tools.factory.outlines import FAMILIES
from tools.factory.seat import sit
from tools.factory.wear import composite, lens_scales, mean_scale, wear

GLASSES = (Region.FRAME, Region.CLEAR_LENS, Region.DARK_LENS, Region.GLARE)
LIGHT = SceneLight(np.array([0.0, 0.6, 0.8]), 0.5, np.full(3, 0.8), 0.2)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_worn_on_the_eyes_and_touches_nothing_else(model, frontal, plain_crop, family):
    sample = wear(plain_crop, frontal, np.random.default_rng(3), family=family, model=model, unusual=0.0)
    worn = np.isin(sample.labels, GLASSES)
    lens = worn & (sample.labels != Region.FRAME)
    assert sample.family == family
    assert (sample.labels == Region.FRAME).sum() > (60 if family == "rimless" else 150)
    for x in (92, 163):  # the middles of the eyes
        assert lens[108 - 6 : 108 + 12, x - 4 : x + 4].any()
    rows = np.nonzero(worn)[0]
    assert 60 < rows.min() and rows.max() < 185
    untouched = ~worn & (sample.shadow > 0.999)
    untouched[:, 1:] &= ~worn[:, :-1]
    untouched[:, :-1] &= ~worn[:, 1:]
    untouched[1:] &= ~worn[:-1]
    untouched[:-1] &= ~worn[1:]
    difference = np.abs(sample.image.astype(int) - sample.clean)[untouched]
    assert (difference > 12).mean() < 0.002 and untouched.mean() > 0.3


def test_the_same_random_numbers_give_the_same_picture(model, frontal, plain_crop):
    first, second = (wear(plain_crop, frontal, np.random.default_rng(8), model=model) for _ in range(2))
    assert np.array_equal(first.image, second.image) and np.array_equal(first.labels, second.labels)


def test_no_glasses_leaves_the_photograph_alone(model, frontal, plain_crop):
    sample = wear(plain_crop, frontal, np.random.default_rng(1), kind=Glasses.NONE, model=model)
    assert sample.kind is Glasses.NONE and sample.image is sample.clean
    assert not np.isin(sample.labels, GLASSES).any() and (sample.shadow == 1).all()


@pytest.mark.parametrize(("kind", "region"), [(Glasses.CLEAR, Region.CLEAR_LENS), (Glasses.DARK, Region.DARK_LENS)])
def test_the_kind_asked_for_is_the_kind_worn(model, frontal, plain_crop, kind, region):
    for seed in range(4):
        sample = wear(plain_crop, frontal, np.random.default_rng(seed), kind=kind, model=model, unusual=0.0)
        assert sample.kind is kind
        assert (sample.labels == region).sum() > 500


def test_the_head_hides_the_temple_of_the_far_side(model, turned):
    head = pose_head(model, turned)
    rng = np.random.default_rng(2)
    design = replace(sample_design(rng, "square", "clear"), temple_height_mm=6.0)
    worn = wear_design(design, sit(head.shape, front_points(design), rng))
    environment = sample_environment(rng, LIGHT.key)
    temple = worn.frame.part == Part.TEMPLE
    points = head.to_px(worn.frame.vertices)[worn.frame.triangles[temple]].mean(1)
    local = worn.frame.vertices[worn.frame.triangles[temple]].mean(1)
    behind = local[:, 2] < head.shape.middle[2] - 25
    layers = draw_layers(worn, head, LIGHT, environment, (256, 256))
    assert layers is not None
    # Turned to the subject's left by 40 degrees the right temple faces the camera and the left one is behind the head.
    seen = {}
    for side, chosen in (("left", behind & (local[:, 0] > 0)), ("right", behind & (local[:, 0] < 0))):
        x, y = points[chosen, 0].round().astype(int), points[chosen, 1].round().astype(int)
        inside = (x >= 0) & (x < 256) & (y >= 0) & (y < 256)
        frame = np.zeros((256, 256))
        frame[layers.rows, layers.columns] = layers.frame
        seen[side] = frame[y[inside], x[inside]].mean() if inside.any() else 0.0
    assert seen["left"] < 0.12 < 0.4 < seen["right"]


def test_minus_lenses_shrink_what_is_behind_them(model, frontal):
    head = pose_head(model, frontal)
    maps = head_maps(head, (256, 256))
    stripes = np.repeat(np.where(np.arange(256) // 6 % 2, 200, 60)[None, :, None], 256, 0).repeat(3, 2).astype(np.uint8)
    edges, sizes = {}, {}
    for power in (0.0, -8.0):
        rng = np.random.default_rng(5)
        design = sample_design(rng, "rimless", "clear")
        lens = replace(design.lens, power_d=power, reflectance=(0.0, 0.0, 0.0), top=(1, 1, 1), bottom=(1, 1, 1))
        worn = wear_design(replace(design, lens=lens), sit(head.shape, front_points(design), rng))
        layers = draw_layers(worn, head, LIGHT, sample_environment(rng, LIGHT.key), (256, 256))
        scale = lens_scales(layers, worn, head, maps)
        image = composite(stripes, np.ones((256, 256), np.float32), layers, worn, head, scale)
        x, y = head.to_px(worn.lens_centres)[0, :2].round().astype(int)
        row = image[y, x - 18 : x + 19, 0].astype(int)
        edges[power] = (np.abs(np.diff(row)) > 60).sum()
        sizes[power] = mean_scale(scale, layers)
    assert edges[-8.0] > edges[0.0]
    assert sizes[0.0] == 1 and 1.06 < sizes[-8.0] < 1.25  # 8 to 30 mm in front of the skin
