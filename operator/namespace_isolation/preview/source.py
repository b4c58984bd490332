"""Which files a FILE on the command line means, and their text: a file, a folder as `kubectl -f` takes it, or stdin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from namespace_isolation.preview.problem import Place, Problem

__all__ = ["STDIN", "Source", "read_sources"]

STDIN: Final = "-"
_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file and the name to call it by."""

    name: str
    text: str


def read_sources(files: Iterable[str], read_stdin: Callable[[], bytes]) -> Iterator[Source | Problem]:
    """Give the text of each file, or what is wrong with it; what is named twice is read once."""
    for name in dict.fromkeys(files):
        if name == STDIN:
            yield _decoded("stdin", read_stdin())
        elif Path(name).is_dir():
            yield from _folder(Path(name))
        else:
            yield _file(Path(name))


def _folder(folder: Path) -> Iterator[Source | Problem]:
    """Give the files directly in a folder, by name."""
    try:
        found = sorted(each for each in folder.iterdir() if each.suffix in _ENDINGS and each.is_file())
    except OSError as error:
        yield _problem(str(folder), f"cannot be read: {error.strerror}")
        return
    if not found:
        yield _problem(str(folder), "holds no *.yaml, *.yml or *.json: name another folder, or the file itself")
    for path in found:
        yield _file(path)


def _file(path: Path) -> Source | Problem:
    try:
        return _decoded(str(path), path.read_bytes())
    except OSError as error:
        return _problem(str(path), f"cannot be read: {error.strerror}")


def _decoded(name: str, data: bytes) -> Source | Problem:
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _problem(name, f"line {line}: is no UTF-8 text: save the file in that encoding")


def _problem(name: str, message: str) -> Problem:
    return Problem(place=Place(file=name), message=message)
