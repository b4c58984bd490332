"""Download the official envtest archive, verify it, and install its programs whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from namespace_isolation.sandbox import places
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.lock import exclusive
from namespace_isolation.sandbox.progress import Progress
from namespace_isolation.sandbox.versions import ENVTEST_ARCHIVES, ENVTEST_VERSION, REQUIRED, Archive

__all__ = ["fetch_envtest", "install"]

_TIMEOUT = 8.0
"""Seconds without a byte after which a server counts as out of reach."""
_CHUNK = 1 << 20


def fetch_envtest(target: Path, progress: Progress) -> None:
    """Install etcd, kube-apiserver and kubectl of the published archive into `target`."""
    archive = ENVTEST_ARCHIVES.get(places.platform_name())
    if archive is None:
        raise SandboxError(f"there is no envtest archive for {places.platform_name()}")
    install(archive, target, progress)


def install(archive: Archive, target: Path, progress: Progress) -> None:
    """Download, verify, unpack, then rename into place; a second process that asks waits for the first."""

    def tell_wait() -> None:
        progress.say("Another process downloads the control plane; waiting for it.")

    with exclusive(target.parent / f"{target.name}.lock", on_wait=tell_wait):
        if target.exists():
            return
        for leftover in target.parent.glob(f".{target.name}-*"):  # of a download that was cut off
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as directory:
            file = Path(directory) / "archive.tar.gz"
            _download(archive, file, progress)
            programs = Path(directory) / "programs"
            programs.mkdir()
            _unpack(file, programs, archive.url)
            programs.rename(target)


def _download(archive: Archive, file: Path, progress: Progress) -> None:
    label = f"downloading envtest {ENVTEST_VERSION} from {archive.url}"
    progress.begin(label)
    digest = hashlib.sha512()
    received = 0
    try:
        with urllib.request.urlopen(archive.url, timeout=_TIMEOUT) as answer, file.open("wb") as output:  # noqa: S310 - the pinned URLs of versions.py
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                output.write(chunk)
                received += len(chunk)
                progress.update(f"{label}, {received >> 20} MB")
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise SandboxError(f"the envtest archive is out of reach ({archive.url}: {reason})") from error
    if digest.hexdigest() != archive.sha512:
        found = digest.hexdigest()
        raise SandboxError(f"{archive.url} has the SHA-512 {found}, not {archive.sha512}; it was thrown away")
    progress.end(f"{label}: done")


def _unpack(file: Path, directory: Path, url: str) -> None:
    """Take only the programs out of the archive, by their names, wherever they lie in it."""
    with tarfile.open(file) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            content = archive.extractfile(member) if member.isfile() and name in REQUIRED else None
            if content is not None:
                with content, (directory / name).open("wb") as output:
                    shutil.copyfileobj(content, output)
                (directory / name).chmod(0o755)
    lacking = [name for name in REQUIRED if not (directory / name).exists()]
    if lacking:
        raise SandboxError(f"{url} holds no {', '.join(lacking)}")
