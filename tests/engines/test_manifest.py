"""The list of weights: a file is used only when it is the one listed."""

from __future__ import annotations

import pytest

from engines.base import WeightsError
from engines.manifest import ENGINES_DIR, load_weights, read_manifest


def test_a_listed_file_is_loaded(models_dir):
    (entry,) = read_manifest(models_dir)
    weights = load_weights(entry, models_dir)
    assert weights.onnx == (models_dir / "weights" / "tiny-light.onnx").read_bytes()
    assert entry.inputs == {"x": ("N", 3, 8, 8)} and entry.metrics == {"error": 0.5}


def test_one_changed_byte_is_noticed(models_dir):
    path = models_dir / "weights" / "tiny-light.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError) as error:
        load_weights(read_manifest(models_dir)[0], models_dir)
    assert "damaged" in str(error.value) and str(path) in str(error.value) and "reinstall" in str(error.value)


def test_a_missing_file_is_named(models_dir):
    path = models_dir / "weights" / "tiny-light.onnx"
    path.unlink()
    with pytest.raises(WeightsError) as error:
        load_weights(read_manifest(models_dir)[0], models_dir)
    assert str(path) in str(error.value) and "missing" in str(error.value)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"models\.toml"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[model]", "cannot read"),
        ('[[model]]\nname = "a"\n', "lacks quality"),
        ("\xff", "lacks|cannot read"),
    ],
)
def test_a_broken_list_is_explained(tmp_path, text, said):
    (tmp_path / "models.toml").write_text(text, encoding="latin-1")
    with pytest.raises(WeightsError, match=said):
        read_manifest(tmp_path)


def test_unknown_keys_and_precisions_are_refused(models_dir):
    path = models_dir / "models.toml"
    original = path.read_text()
    path.write_text(original + 'colour = "red"\n')
    with pytest.raises(WeightsError, match="unknown keys colour"):
        read_manifest(models_dir)
    path.write_text(original.replace('"fp32"', '"fp3"'))
    with pytest.raises(WeightsError, match="'fp3'"):
        read_manifest(models_dir)


def test_every_shipped_file_is_the_one_listed():
    for entry in read_manifest():
        assert load_weights(entry).path.parent == ENGINES_DIR / "weights"
