from pathlib import Path

import pytest

from realtime.arguments import parse


def test_it_serves_this_machine_only_unless_told_otherwise():
    options = parse(["serve"])
    assert (options.host, options.port, options.visitors, options.token, list(options.origins)) == (
        "127.0.0.1", 8765, 4, None, [],
    )  # fmt: skip
    assert (options.view, options.remove, options.faces, options.smooth) == ("removed", True, 2, 0.5)


def test_every_wish_arrives():
    options = parse(
        "serve --host 0.0.0.0 --port 80 --visitors 9 --token t --origin https://a.org --origin https://b.org "
        "--cert c.pem --key k.pem --view mesh --no-remove --landmarks --smooth 1 --faces 1 --quality light".split()
    )
    assert (options.host, options.port, options.visitors, options.token) == ("0.0.0.0", 80, 9, "t")
    assert list(options.origins) == ["https://a.org", "https://b.org"]
    assert (options.certificate, options.key) == (Path("c.pem"), Path("k.pem"))
    assert (options.view, options.remove, options.landmarks, options.smooth) == ("mesh", False, True, 1)
    assert list(parse(["serve"]).origins) == []  # one run's wishes are not the next one's


@pytest.mark.parametrize(
    "wrong", [["--port", "-1"], ["--port", "x"], ["--visitors", "65"], ["--smooth", "2"], ["-i", "0"]]
)
def test_what_cannot_be_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["serve", *wrong])
    assert ended.value.code == 2 and wrong[0] in capsys.readouterr().err
