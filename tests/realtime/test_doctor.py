from pathlib import Path

from realtime.doctor import examine, report


def test_every_subject_has_its_line():
    names = {finding.name for finding in examine()}
    assert {"python", "libraries", "machine", "rasteriser", "provider", "weights", "display", "gl", "page"} <= names
    assert names & {"camera", "cameras"} and {"gpu", "sender"} <= names


def test_it_tells_where_avatar_data_could_go():
    found = [str(finding) for finding in examine() if finding.name == "sender"]
    assert len(found) == 4 and all("--send " in line for line in found)


def test_a_finding_is_one_line_with_a_mark():
    for finding in examine():
        assert str(finding).split()[0] in ("ok", "FAIL", "-") and "\n" not in str(finding)


def test_weights_that_are_not_there_fail_and_say_where(tmp_path: Path):
    lines: list[str] = []
    assert report(tmp_path, lines.append) is False
    assert any(line.startswith("FAIL") and str(tmp_path) in line for line in lines)
