"""Timing of engines: medians, in turns, by an injected clock; and the command on a real file."""

from __future__ import annotations

import pytest

from tools.bench_engines import main, medians_ms


def test_medians_are_those_of_the_clock():
    now = 0.0
    durations = {"a": 0.010, "b": 0.020}

    def call(name: str):
        def advance() -> None:
            nonlocal now
            now += durations[name]

        return advance

    medians = medians_ms({name: call(name) for name in durations}, seconds=0.2, clock=lambda: now)
    assert medians == pytest.approx({"a": 10.0, "b": 20.0})


def test_a_file_is_timed_on_every_provider_and_with_every_session_option(tmp_path, capsys):
    pytest.importorskip("onnx", reason="the extra `dev` is not installed")
    from tests.engines.conftest import tiny_onnx

    file = tmp_path / "tiny.onnx"
    file.write_bytes(tiny_onnx())
    assert main(["--onnx", str(file), "--seconds", "0.01"]) == 0
    assert main(["--onnx", str(file), "--seconds", "0.01", "--sessions"]) == 0
    out = capsys.readouterr().out
    assert "cpu auto" in out and "graph: basic" in out and out.count("tiny.onnx") >= 9
