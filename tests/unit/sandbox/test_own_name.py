"""Hints name the command in a way that works where they are read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from namespace_isolation.cli.main import main
from namespace_isolation.sandbox.own_name import own_name

_MODULE = f"{sys.executable} -m namespace_isolation"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Give a folder with the two console scripts."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("nsiso", "kubectl-nsiso"):
        (folder / name).touch(mode=0o755)
    return folder


@pytest.mark.parametrize(
    ("path", "called", "told"),
    [
        ("bin", "bin/nsiso", "nsiso"),
        ("bin", "bin/kubectl-nsiso", "kubectl nsiso"),
        ("", "bin/nsiso", "bin/nsiso"),
        ("", "bin/kubectl-nsiso", "bin/kubectl-nsiso"),
        ("bin", "other/nsiso", "other/nsiso"),
        ("bin", "lib/namespace_isolation/__main__.py", _MODULE),
    ],
)
def test_the_name_is_the_one_that_was_called(
    scripts: Path, monkeypatch: pytest.MonkeyPatch, path: str, called: str, told: str
) -> None:
    """The bare name where the PATH leads to the same program, else its path, else the module."""
    monkeypatch.chdir(scripts.parent)
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr(sys, "argv", [called])
    assert own_name() == told


def test_status_says_so(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint of `nsiso sandbox status` can be typed as it stands."""
    monkeypatch.chdir(scripts.parent)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(scripts.parent / "state"))
    monkeypatch.setattr(sys, "argv", ["bin/nsiso"])
    shown = CliRunner().invoke(main, ["sandbox", "status", "--name", "second"])
    assert shown.output == "Sandbox second is not running. Start it: bin/nsiso sandbox up --name second\n"
