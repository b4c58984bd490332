"""Where the demo's files are: manifests/ in the checkout, the shop beside this module."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["SHOP", "MissingManifestsError", "manifest", "shown"]

SHOP: Final = Path(__file__).with_name("shop.yaml")
_CHECKOUT: Final = Path(__file__).parents[3]


class MissingManifestsError(Exception):
    """The demo installs the manifests that users install, and they are not in the wheel."""


def manifest(name: str) -> Path:
    """Find a file of manifests/; MissingManifestsError where the package is not run from a checkout."""
    path = _CHECKOUT / "manifests" / name
    if not path.is_file():
        raise MissingManifestsError(
            f"there is no {path}: the demo applies the manifests of the source tree, which are not in the installed "
            "package. Get the source, and run there: make demo"
        )
    return path


def shown(path: Path) -> str:
    """Write a path as the reader would type it where he stands."""
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
