"""Which programs the sandbox runs and where they come from: looked up, downloaded or built, in that order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from namespace_isolation.sandbox import build, download, places
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.progress import Progress
from namespace_isolation.sandbox.versions import (
    CONTROLLER_MANAGER,
    KUBERNETES_VERSION,
    OLDEST_MINOR,
    PROGRAMS,
    REQUIRED,
    minor_of,
)

__all__ = ["Programs", "look_up", "obtain"]

_VERSION_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs of one control plane; without a controller manager namespaces are never removed."""

    etcd: Path
    kube_apiserver: Path
    kubectl: Path
    kube_controller_manager: Path | None
    origin: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The programs that this set lacks."""
        return (CONTROLLER_MANAGER,) if self.kube_controller_manager is None else ()


def obtain(progress: Progress, environment: Mapping[str, str] = os.environ) -> Programs:
    """Find the programs, else download, else build them; SandboxError says what was tried and what helps."""
    cache = places.cache_home(environment)
    found = look_up(environment, progress)
    if found is not None:
        return _with_controller_manager(found, cache, progress, environment)
    target = places.downloaded_directory(cache)
    try:
        download.fetch_envtest(target, progress)
    except SandboxError as not_downloaded:
        progress.say(f"{not_downloaded}; building Kubernetes {KUBERNETES_VERSION} from Go modules instead.")
        return _build_all(cache, progress, environment, not_downloaded)
    return _with_controller_manager(_set_in(target, "the envtest archive"), cache, progress, environment)


def look_up(environment: Mapping[str, str], progress: Progress) -> Programs | None:
    """Find programs that are on this machine already: KUBEBUILDER_ASSETS, the cache, the PATH."""
    cache = places.cache_home(environment)
    assets = environment.get("KUBEBUILDER_ASSETS")
    if assets:
        return _in_assets(Path(assets).absolute())
    built = places.built_directory(cache)
    if _holds(built, PROGRAMS):
        return _set_in(built, "the cache (built from Go modules)")
    downloaded = places.downloaded_directory(cache)
    if _holds(downloaded, REQUIRED):
        return _set_in(downloaded, "the cache (envtest archive)")
    return _on_path(environment, progress)


def _in_assets(directory: Path) -> Programs:
    """Take the directory that the user named, or refuse it: it was named on purpose."""
    lacking = [name for name in REQUIRED if not _is_program(directory / name)]
    if lacking:
        raise SandboxError(
            f"KUBEBUILDER_ASSETS={directory} has no {', '.join(lacking)}. "
            "Point it at a directory with etcd, kube-apiserver and kubectl, or unset it"
        )
    found = _set_in(directory, "KUBEBUILDER_ASSETS")
    version = _version(found.kube_apiserver, "--version")
    if version is None or version < OLDEST_MINOR:
        oldest = _spell(OLDEST_MINOR)
        raise SandboxError(
            f"KUBEBUILDER_ASSETS={directory}: kube-apiserver is {_spell(version)}, not {oldest} or newer. "
            "Point it at newer programs, or unset it"
        )
    return found


def _on_path(environment: Mapping[str, str], progress: Progress) -> Programs | None:
    """Take the PATH only when all programs are there, new enough and of one minor version."""
    path = environment.get("PATH", "")
    places_of = {name: shutil.which(name, path=path) for name in PROGRAMS}
    found = {name: Path(place).absolute() for name, place in places_of.items() if place is not None}
    if len(found) < len(PROGRAMS):
        return None
    versions = {
        "kube-apiserver": _version(found["kube-apiserver"], "--version"),
        CONTROLLER_MANAGER: _version(found[CONTROLLER_MANAGER], "--version"),
        "kubectl": _version(found["kubectl"], "version", "--client"),
    }
    version = versions["kube-apiserver"]
    if version is None or version < OLDEST_MINOR or set(versions.values()) != {version}:
        named = ", ".join(f"{name} {_spell(version)}" for name, version in versions.items())
        oldest = _spell(OLDEST_MINOR)
        progress.say(f"The programs on the PATH are left alone: not of one version from {oldest} on ({named}).")
        return None
    return Programs(
        etcd=found["etcd"],
        kube_apiserver=found["kube-apiserver"],
        kubectl=found["kubectl"],
        kube_controller_manager=found[CONTROLLER_MANAGER],
        origin="the PATH",
    )


def _build_all(
    cache: Path, progress: Progress, environment: Mapping[str, str], not_downloaded: SandboxError
) -> Programs:
    target = places.built_directory(cache)
    try:
        build.build(PROGRAMS, target, progress, environment)
    except SandboxError as error:
        raise SandboxError(
            f"The sandbox needs etcd, kube-apiserver and kubectl of Kubernetes {KUBERNETES_VERSION}.\n"
            f"  not found: KUBEBUILDER_ASSETS is not set, {target} lacks some,\n"
            "    and the PATH has no complete set of one version\n"
            f"  not downloaded: {not_downloaded}\n"
            f"  not built: {error}\n"
            "Any of these helps: Go as named above with access to a Go module proxy, access to github.com,\n"
            "KUBEBUILDER_ASSETS=<directory with the programs>"
        ) from error
    return _set_in(target, "built from Go modules")


def _with_controller_manager(
    found: Programs, cache: Path, progress: Progress, environment: Mapping[str, str]
) -> Programs:
    """Add a controller manager of the API server's minor version, building it, or say what is lost."""
    if found.kube_controller_manager is not None:
        return found
    built = places.built_directory(cache) / CONTROLLER_MANAGER
    version = _version(found.kube_apiserver, "--version")
    if version != minor_of(KUBERNETES_VERSION):
        reason = f"kube-apiserver is {_spell(version)}, not {_spell(minor_of(KUBERNETES_VERSION))}"
    elif _is_program(built):
        return replace(found, kube_controller_manager=built)
    else:
        try:
            build.build([CONTROLLER_MANAGER], built.parent, progress, environment)
            return replace(found, kube_controller_manager=built)
        except SandboxError as error:
            reason = str(error)
    progress.say(
        f"Note: the sandbox runs without {CONTROLLER_MANAGER} ({reason}): deleted namespaces stay "
        "Terminating, ownerReferences are not followed, and there are no default service accounts."
    )
    return found


def _set_in(directory: Path, origin: str) -> Programs:
    manager = directory / CONTROLLER_MANAGER
    return Programs(
        etcd=directory / "etcd",
        kube_apiserver=directory / "kube-apiserver",
        kubectl=directory / "kubectl",
        kube_controller_manager=manager if _is_program(manager) else None,
        origin=origin,
    )


def _holds(directory: Path, names: tuple[str, ...]) -> bool:
    return all(_is_program(directory / name) for name in names)


def _is_program(file: Path) -> bool:
    return file.is_file() and os.access(file, os.X_OK)


def _version(program: Path, *arguments: str) -> tuple[int, int] | None:
    """Ask a program of Kubernetes for its minor version; None where it says nothing of the kind."""
    try:
        asked = subprocess.run(  # noqa: S603 - a program found where the user keeps programs
            [program, *arguments], capture_output=True, text=True, timeout=_VERSION_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bv(\d+\.\d+)\.\d+", asked.stdout)
    return minor_of(found[1]) if found else None


def _spell(version: tuple[int, int] | None) -> str:
    return "of no known version" if version is None else ".".join(map(str, version))
