"""Where the sandbox keeps things between runs: programs in the user's cache, records in the user's state."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from namespace_isolation.sandbox.versions import ENVTEST_ARCHIVES, ENVTEST_VERSION, KUBERNETES_VERSION

__all__ = [
    "SOURCES",
    "built_directory",
    "cache_home",
    "downloaded_directory",
    "platform_name",
    "records_directory",
]

SOURCES = Path(__file__).parent / "sources"
"""The Go modules that the programs are built from; they ship with the package."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_HASH_LENGTH = 12


def platform_name() -> str:
    """Name this machine as Go and the published archives do, such as `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"


def cache_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Find the user's cache of this tool."""
    return _home(environment, "XDG_CACHE_HOME", ".cache")


def records_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Find the records of sandboxes that were left running."""
    return _home(environment, "XDG_STATE_HOME", ".local/state") / "sandboxes"


def built_directory(cache: Path) -> Path:
    """Name the programs built from this very set of sources."""
    return cache / f"control-plane-v{KUBERNETES_VERSION}-{platform_name()}-{_hash_of_sources()}"


def downloaded_directory(cache: Path) -> Path:
    """Name the programs of the published archive."""
    archive = ENVTEST_ARCHIVES.get(platform_name())
    checksum = "none" if archive is None else archive.sha512[:_HASH_LENGTH]
    return cache / f"envtest-v{ENVTEST_VERSION}-{platform_name()}-{checksum}"


def _home(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    # The XDG specification: a relative path is to be ignored.
    base = Path(given) if given and Path(given).is_absolute() else Path.home() / default
    return base / "nsiso"


def _hash_of_sources() -> str:
    digest = hashlib.sha256()
    for file in sorted(SOURCES.glob("*/*")):
        digest.update(f"{file.relative_to(SOURCES).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:_HASH_LENGTH]
