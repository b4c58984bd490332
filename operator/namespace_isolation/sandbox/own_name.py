"""What to type to call this program again: hints name it as it was called."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

__all__ = ["own_name"]

_SCRIPTS: Final = ("nsiso", "kubectl-nsiso")


def own_name() -> str:
    """Write the program's name where the PATH leads to the one that runs, else its path or module."""
    called = Path(sys.argv[0])
    if called.name not in _SCRIPTS:
        return f"{shlex.quote(sys.executable)} -m namespace_isolation"
    found = shutil.which(called.name)
    if found and called.exists() and called.samefile(found):
        return called.name.replace("-", " ")  # kubectl finds its plugin kubectl-nsiso
    return shlex.quote(str(called))
