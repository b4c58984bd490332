"""Names of detached sandboxes and places on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from namespace_isolation.sandbox import SandboxError, places, records


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep records in a directory of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 64])
def test_a_name_that_could_leave_its_directory_is_refused(name: str) -> None:
    """Names are DNS labels."""
    with pytest.raises(SandboxError, match="no name for a sandbox"):
        records.find(name)


def test_a_name_is_held_once_and_is_free_after() -> None:
    """Two sandboxes of one name cannot be started at once."""
    with records.reservation("one"):
        with pytest.raises(SandboxError, match="'one' runs already"), records.reservation("one"):
            pass
        with records.reservation("two"):
            pass
    with records.reservation("one"):
        pass


def test_what_nobody_started_is_not_found_and_needs_no_stop(tmp_path: Path) -> None:
    """`down` on nothing is no error, and leaves nothing."""
    assert records.find("one") is None
    assert records.stop("one") is False
    assert list(tmp_path.iterdir()) == []


def test_a_relative_cache_home_is_ignored(tmp_path: Path) -> None:
    """The XDG specification says so, and a cache in each working directory would build again and again."""
    assert places.cache_home({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "nsiso"
    assert places.cache_home({"XDG_CACHE_HOME": "here"}) == Path.home() / ".cache" / "nsiso"
