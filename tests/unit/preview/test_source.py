"""Which files a FILE means."""

from __future__ import annotations

from pathlib import Path

import pytest

from namespace_isolation.preview.source import Source, read_sources


def _nothing() -> bytes:
    pytest.fail("stdin was read")


def test_a_folder_is_its_yaml_and_json_by_name_and_no_deeper(tmp_path: Path) -> None:
    """As `kubectl -f` takes a folder."""
    for name in ("b.yaml", "a.yml", "c.json", "d.txt", "e.yaml.bak"):
        (tmp_path / name).write_text(name)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "f.yaml").write_text("f")
    (tmp_path / "g.yaml").mkdir()
    found = list(read_sources([str(tmp_path)], _nothing))
    assert found == [Source(str(tmp_path / name), name) for name in ("a.yml", "b.yaml", "c.json")]


def test_stdin_and_a_file_named_twice_are_read_once(tmp_path: Path) -> None:
    """The order is that of the command line."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfkind: A")
    found = list(read_sources(["-", str(path), "-", str(path)], lambda: b"kind: B"))
    assert found == [Source("stdin", "kind: B"), Source(str(path), "kind: A")]


def test_every_file_that_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    """What is missing, empty or no text is named, and the rest is read."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: ä".encode("latin-1"))
    (tmp_path / "good.yaml").write_text("a: 1")
    names = [str(tmp_path / each) for each in ("missing.yaml", "empty", "latin.yaml", "good.yaml")]
    *problems, good = read_sources(names, _nothing)
    assert [str(each).removeprefix(str(tmp_path)) for each in problems] == [
        "/missing.yaml: cannot be read: No such file or directory",
        "/empty: holds no *.yaml, *.yml or *.json: name another folder, or the file itself",
        "/latin.yaml: line 2: is no UTF-8 text: save the file in that encoding",
    ]
    assert good == Source(names[-1], "a: 1")
