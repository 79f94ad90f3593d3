"""MODELS.md lists what ships; a file's terms are the strictest of what it learnt from."""

from __future__ import annotations

import pytest

from engines.base import EngineError
from engines.manifest import Entry, dump_manifest, read_manifest
from tools.models_page import END, LICENCES, PAGE, START, licence_of, table_of, write_table

ENTRY = Entry(
    "landmarks", "light", "landmarks-light.onnx", "ab" * 32, "fp16", {"crop": ("N", 3, 128, 128)},
    {"points": ("N", 68, 2)}, ("helen", "aaf"), "research, non-commercial",
    {"nme": 0.0493, "from_torch_mean": 1e-6, "note": 'a "quoted" word'},
)  # fmt: skip


def test_terms_are_the_strictest():
    assert licence_of(["synthetic", "ict_facekit"]) == "MIT"
    assert licence_of(["synthetic", "helen"]) == "research, non-commercial"
    for wrong in ([], ["holiday pictures"]):
        with pytest.raises(EngineError, match="--trained-on"):
            licence_of(wrong)


def test_a_manifest_reads_back_as_written(tmp_path):
    other = Entry("deleter", "full", "d.onnx", "cd" * 32, "int8w", {}, {}, ("synthetic",), "MIT")
    (tmp_path / "models.toml").write_text(dump_manifest((ENTRY, other)), encoding="utf-8")
    assert read_manifest(tmp_path) == (other, ENTRY)


def test_the_table_replaces_the_old_one_and_nothing_else(tmp_path):
    page = tmp_path / "MODELS.md"
    page.write_text(f"before\n{START}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_table(page, (ENTRY,))
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.count("`landmarks-light.onnx`") == 1 and "nme 0.0493" in text and "from_torch" not in text
    page.write_text("no markers")
    with pytest.raises(EngineError, match="markers"):
        write_table(page, (ENTRY,))


def test_our_page_has_the_markers_every_set_and_the_current_table():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in LICENCES)
    generated = text.split(START)[1].split(END)[0].strip()
    assert generated == table_of(read_manifest()), "run python -m tools.export --table"
