"""What the layout of the repository must keep so that Python and the set-up work on every machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+) \\$", re.MULTILINE)
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    """Read the version of each package in a lock."""
    return {pin["name"]: pin["version"] for pin in PINNED.finditer((ROOT / lock).read_text())}


def test_the_source_root_is_no_package() -> None:
    """`operator/` holds no __init__.py: with one it would take the place of Python's own module operator."""
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize(
    "program",
    [
        "import collections, operator; operator.itemgetter(0)",
        "import sys; sys.path.insert(0, '.'); import collections, operator; operator.itemgetter(0)",
    ],
    ids=["as python -c does", "with the folder at the head of the path"],
)
def test_python_finds_its_own_operator_module_in_this_folder(program: str) -> None:
    """Python started at the root of the repository still imports the operator of the standard library."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_place(lock: str) -> None:
    """Each line of a lock is a pin, its hash or a comment; no option, index, host or path of a machine."""
    text = (ROOT / lock).read_text()
    strange = [
        line
        for line in text.splitlines()
        if not re.fullmatch(r"(?:[a-z0-9-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?| *#.*)?", line)
    ]
    assert strange == []
    assert "://" not in text
    assert pins(lock)


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_the_development_lock_holds_what_runs_and_builds(lock: str) -> None:
    """Tests run with the very versions that the image is made of."""
    assert pins(lock).items() <= pins("requirements-dev.lock").items()
