"""Both renderers against analytic answers."""

from dataclasses import replace

import numpy as np
import pytest

from shaders import Draw, Mode, Topology
from shaders.light import CLAY, FAR_GREY, HEAT_COLOURS, SH_CONSTANTS
from shaders.picture import FAR_PERCENTILE
from tests.shaders.scenes import sheet, smooth_picture, sphere

LIGHT = np.array([2.2, 0.6, 0.9, -0.5, 0.2, 0.1, 0.25, -0.2, 0.15], np.float32)


def analytic_sphere_light(light, radius=100.0, centre=(160.0, 120.0), shape=(240, 320)):
    """(h, w) light on a sphere, and where the answer is certain: well inside its outline."""
    row, column = np.mgrid[: shape[0], : shape[1]]
    x, y = (column - centre[0]) / radius, -(row - centre[1]) / radius
    inside = x**2 + y**2 < 0.96**2
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    basis = np.stack([np.ones_like(x), y, z, x, x * y, y * z, 3 * z**2 - 1, x * z, x**2 - y**2])
    return np.maximum(np.tensordot(light * SH_CONSTANTS, basis, 1), 0), inside


def square(left, top, right, bottom, z=0.0):
    vertices = np.array([[left, top, z], [right, top, z], [left, bottom, z], [right, bottom, z]], np.float32)
    return Topology(np.array([[0, 2, 1], [1, 2, 3]]), np.zeros((4, 2))), vertices, np.tile([0.0, 0.0, 1.0], (4, 1))


def test_sphere_in_harmonic_light_is_as_computed(make_renderer):
    vertices, triangles, normals, uv = sphere(rings=129)
    renderer = make_renderer(Topology(triangles, uv))
    albedo = np.array([0.9, 0.6, 0.4], np.float32)
    draw = Draw(vertices, normals, np.tile(albedo, (len(vertices), 1)), light=LIGHT)
    light, inside = analytic_sphere_light(LIGHT)
    for mode, colour in ((Mode.TEXTURED, albedo), (Mode.SHADED, np.full(3, CLAY))):
        expected = np.clip(light[..., None] * colour, 0, 1) * 255
        error = np.abs(renderer.draw(None, [draw], mode) - expected)[inside]
        assert error.max() < 3 and error.mean() < 0.5


def test_light_never_goes_below_black(make_renderer):
    vertices, triangles, normals, uv = sphere()
    from_above = np.array([0, 4.5, 0, 0, 0, 0, 0, 0, 0], np.float32)
    picture = make_renderer(Topology(triangles, uv)).draw(
        None, [Draw(vertices, normals, light=from_above)], Mode.SHADED
    )
    assert not picture[150:].any() and picture[40, 160].min() > 200


def test_depth_of_a_plane_is_linear_grey(make_renderer):
    topology, vertices, normals = sheet((60, 80), slope=(0.5, -0.25))
    picture = make_renderer(topology, (80, 60)).draw(None, [Draw(vertices, normals)], Mode.DEPTH)
    row, column = np.mgrid[:60, :80]
    z, farthest = 0.5 * column - 0.25 * row, np.percentile(vertices[:, 2], FAR_PERCENTILE)
    nearness = (z - farthest) / (vertices[:, 2].max() - farthest)
    certain = np.abs(nearness) > 0.2  # the clamp bends inside single triangles
    expected = 255 * (FAR_GREY + (1 - FAR_GREY) * np.maximum(nearness, 0))
    assert np.abs(picture - expected[..., None])[certain].max() <= 1.5 and (nearness > 0.2).mean() > 0.5


def test_heat_map_shows_the_scalar_through_the_colour_map(make_renderer):
    topology, vertices, normals = sheet((40, 40))
    for value in (0.0, 0.3, 1.0, 7.0):
        draw = Draw(vertices, normals, scalar=np.full(len(vertices), value, np.float32))
        picture = make_renderer(topology, (40, 40)).draw(None, [draw], Mode.HEATMAP)
        assert np.abs(picture - 255 * HEAT_COLOURS[min(int(value * 255 + 0.5), 255)]).max() <= 1


def test_texture_lies_texel_for_pixel_and_upright(make_renderer):
    topology, vertices, normals = sheet((48, 64))
    texture = smooth_picture((48, 64, 3), seed=1)
    renderer = make_renderer(topology, (64, 48))
    draw = Draw(vertices, normals, texture=texture)
    assert np.abs(renderer.draw(None, [draw], Mode.TEXTURED).astype(int) - texture).max() <= 2
    half = np.zeros(9, np.float32)
    half[0] = 0.5 / SH_CONSTANTS[0]
    lit = renderer.draw(None, [replace(draw, light=half)], Mode.TEXTURED)
    assert np.abs(lit - texture / 2).max() <= 2


def test_colours_show_where_the_texture_is_clear_without_dark_seams(make_renderer):
    topology, vertices, normals = sheet((48, 64))
    texture = np.zeros((48, 64, 4), np.uint8)
    texture[:, 32:] = (200, 100, 50, 255)  # clear texels are black underneath
    small = np.ascontiguousarray(texture[::4, ::4])  # magnified: texels blend into one another
    colours = np.tile(np.array([200, 100, 50], np.float32) / 255, (len(vertices), 1))
    for image in (texture, small):
        picture = make_renderer(topology, (64, 48)).draw(None, [Draw(vertices, normals, colours, image)], Mode.TEXTURED)
        assert np.abs(picture - np.array([200.0, 100.0, 50.0])).max() <= 3
    green = np.tile(np.array([0, 1, 0], np.float32), (len(vertices), 1))
    picture = make_renderer(topology, (64, 48)).draw(None, [Draw(vertices, normals, green, texture)], Mode.TEXTURED)
    assert (picture[:, :31] == (0, 255, 0)).all() and np.abs(
        picture[:, 33:] - np.array([200.0, 100.0, 50.0])
    ).max() <= 2


def test_a_changed_texture_is_seen_and_a_read_only_one_too(make_renderer):
    topology, vertices, normals = sheet((16, 16))
    renderer = make_renderer(topology, (16, 16))
    texture = np.full((16, 16, 3), 40, np.uint8)
    draw = Draw(vertices, normals, texture=texture)
    assert (renderer.draw(None, [draw], Mode.TEXTURED) == 40).all()
    texture[:] = 90
    assert (renderer.draw(None, [draw], Mode.TEXTURED) == 90).all()
    for level in (10, 20):
        fixed = np.full((16, 16, 4), (level, level, level, 255), np.uint8)
        fixed.flags.writeable = False
        for _ in range(2):
            assert (renderer.draw(None, [Draw(vertices, normals, texture=fixed)], Mode.TEXTURED) == level).all()


def test_edges_are_as_grey_as_they_are_covered(make_renderer):
    topology, vertices, normals = square(10.0, 8.25, 29.5, 30.25)  # half, a quarter and nothing of its border pixels
    white = np.ones((4, 3), np.float32)
    picture = make_renderer(topology, (48, 48)).draw(None, [Draw(vertices, normals, white)], Mode.TEXTURED)[..., 0]
    assert (picture[12:28, 12:28] == 255).all()
    assert abs(int(picture[20, 10]) - 128) <= 1 and abs(int(picture[8, 20]) - 64) <= 1
    assert abs(int(picture[30, 20]) - 191) <= 1 and picture[20, 29] == 255 and picture[20, 30] == 0
    assert abs(picture.sum() / 255 - 19.5 * 22) < 1


def test_a_disc_covers_its_area(make_renderer):
    vertices, triangles, normals, uv = sphere(rings=129)
    draw = Draw(vertices, normals, np.ones((len(vertices), 3), np.float32))
    picture = make_renderer(Topology(triangles, uv)).draw(None, [draw], Mode.TEXTURED)
    assert abs(picture[..., 0].sum() / 255 - np.pi * 100**2) < 30
    grey = (picture[..., 0] > 0) & (picture[..., 0] < 255)
    assert 500 < grey.sum() < 1200


def test_wireframe_draws_edges_and_leaves_the_rest(make_renderer):
    topology, vertices, normals = square(10, 10, 40, 40)
    frame = smooth_picture((50, 50, 3), seed=2)
    picture = make_renderer(topology).draw(frame, [Draw(vertices, normals)], Mode.WIREFRAME)
    changed = np.abs(picture.astype(int) - frame).max(-1) > 40
    assert changed[10, 12:38].all() and changed[12:38, 10].all() and changed[25, 25]  # two sides and the diagonal
    assert not changed[15, 20] and not changed[35, 30] and not changed[:8].any()
    assert np.abs(picture[15, 20].astype(int) - frame[15, 20]).max() <= 2


def test_wireframe_hides_what_lies_behind(make_renderer):
    vertices, triangles, normals, uv = sphere(rings=9)
    draw = Draw(vertices, normals)
    whole = make_renderer(Topology(triangles, uv)).draw(None, [draw], Mode.WIREFRAME)
    front = triangles[vertices[triangles][..., 2].mean(1) > 0]
    assert np.abs(whole.astype(int) - make_renderer(Topology(front, uv)).draw(None, [draw], Mode.WIREFRAME)).max() <= 2


def test_what_turns_its_back_is_not_drawn(make_renderer):
    topology, vertices, normals = square(10, 10, 40, 40)
    inside_out = Topology(topology.triangles[:, ::-1], topology.uv)
    assert make_renderer(topology).draw(None, [Draw(vertices, normals)], Mode.SHADED).any()
    assert not make_renderer(inside_out).draw(None, [Draw(vertices, normals)], Mode.SHADED).any()


def test_only_the_box_of_the_mesh_changes(make_renderer):
    vertices, triangles, normals, uv = sphere(radius_px=30, centre_px=(100, 90))
    frame = smooth_picture((240, 320, 3), seed=3)
    before = frame.copy()
    picture = make_renderer(Topology(triangles, uv)).draw(frame, [Draw(vertices, normals)], Mode.SHADED)
    outside = np.ones((240, 320), bool)
    outside[59:122, 69:132] = False
    assert np.array_equal(frame, before) and np.array_equal(picture[outside], frame[outside])
    assert (picture[90, 100] != frame[90, 100]).any()


def test_faces_are_painted_in_the_order_given(make_renderer):
    vertices, triangles, normals, uv = sphere(radius_px=40)
    renderer = make_renderer(Topology(triangles, uv))
    red, blue = (np.tile(np.array(c, np.float32), (len(vertices), 1)) for c in ((1, 0, 0), (0, 0, 1)))
    first = Draw(vertices + np.float32([0, 0, 500]), normals, red)  # its z is nearer, yet of another face
    second = Draw(vertices + np.float32([50, 0, 0]), normals, blue)
    picture = renderer.draw(None, [first, second], Mode.TEXTURED)
    assert tuple(picture[120, 185]) == (0, 0, 255) and tuple(picture[120, 130]) == (255, 0, 0)
    assert tuple(renderer.draw(None, [second, first], Mode.TEXTURED)[120, 185]) == (255, 0, 0)


def test_faces_partly_or_wholly_outside_and_no_face_at_all(make_renderer):
    vertices, triangles, normals, uv = sphere(radius_px=50, centre_px=(0, 0))
    renderer = make_renderer(Topology(triangles, uv))
    corner = renderer.draw(None, [Draw(vertices, normals)], Mode.SHADED)
    assert corner[0, 0].any() and corner.shape == (240, 320, 3)
    for shift in ((-500, 0, 0), (0, 4000, 0), (1e7, 0, 0)):
        assert not renderer.draw(None, [Draw(vertices + np.float32(shift), normals)], Mode.SHADED).any()
    frame = smooth_picture((31, 17, 3), seed=4)
    assert np.array_equal(renderer.draw(frame, [], Mode.TEXTURED), frame)
    tiny = renderer.draw(np.zeros((16, 16, 3), np.uint8), [Draw(vertices, normals)], Mode.SHADED)
    assert tiny.shape == (16, 16, 3) and tiny.all()
    grown = renderer.draw(None, [Draw(vertices * np.float32([200, 200, 1]), normals)], Mode.SHADED)
    assert grown.all()  # the face fills the picture


def test_arrays_that_do_not_fit_are_named(make_renderer):
    topology, vertices, normals = square(1, 1, 9, 9)
    renderer, good = make_renderer(topology), Draw(vertices, normals)
    for wrong, name in (
        (replace(good, vertices=vertices[:3]), "vertices"),
        (replace(good, colours=np.ones((4, 4))), "colours"),
        (replace(good, light=np.ones(8)), "light"),
        (replace(good, texture=np.ones((4, 4), np.uint8)), "texture"),
        (replace(good, vertices=vertices * np.float32(np.nan)), "finite"),
    ):
        with pytest.raises(ValueError, match=name):
            renderer.draw(None, [wrong], Mode.TEXTURED)
    with pytest.raises(ValueError, match="scalar"):
        renderer.draw(None, [good], Mode.HEATMAP)
    with pytest.raises(ValueError, match="uint8"):
        renderer.draw(np.zeros((9, 9, 3), np.float32), [good], Mode.SHADED)
    with pytest.raises(ValueError, match="vertex outside"):
        Topology(np.array([[0, 1, 4]]), np.zeros((4, 2)))


def test_holes_of_the_texture_let_through_what_lies_behind(make_renderer):
    near, near_at, _ = square(10, 10, 50, 50, z=5.0)
    far, far_at, _ = square(0, 0, 60, 60)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    vertices = np.concatenate([far_at, near_at])
    normals = np.tile(np.float32([0, 0, 1]), (8, 1))
    texture = np.zeros((32, 32, 4), np.uint8)
    texture[..., :3] = (255, 0, 0)
    texture[:, :16, 3] = 255  # the left half is there
    triangles = np.concatenate([far.triangles, near.triangles + 4])
    blue = np.tile(np.float32([0, 0, 1]), (8, 1))
    draw = Draw(vertices, normals, blue, texture)
    uv = np.concatenate([np.full((4, 2), 0.99, np.float32), corners])  # behind: where the texture is clear, all colour
    picture = make_renderer(Topology(triangles, uv, solid=2), (60, 60)).draw(None, [draw], Mode.TEXTURED)
    assert (picture[12:48, 12:28] == (255, 0, 0)).all() and (picture[12:48, 32:48] == (0, 0, 255)).all()
    assert (picture[3, 3:57] == (0, 0, 255)).all()
    alone = make_renderer(Topology(triangles, uv, solid=0), (60, 60)).draw(None, [draw], Mode.TEXTURED)
    assert (alone[12:48, 12:28] == (255, 0, 0)).all() and not alone[12:48, 32:48].any() and not alone[3].any()


def test_over_nothing_alpha_comes_out(make_renderer):
    vertices, triangles, normals, uv = sphere(radius_px=40)
    red = np.tile(np.float32([1, 0, 0]), (len(vertices), 1))
    renderer = make_renderer(Topology(triangles, uv))
    picture = renderer.draw(np.zeros((240, 320, 4), np.uint8), [Draw(vertices, normals, red)], Mode.TEXTURED)
    assert tuple(picture[120, 160]) == (255, 0, 0, 255) and not picture[:70].any()
    edge = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    assert edge.any() and (picture[edge][:, 0] == picture[edge][:, 3]).all()  # premultiplied
    with pytest.raises(ValueError, match="solid"):
        Topology(triangles, uv, solid=len(triangles) + 1)
