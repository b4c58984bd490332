"""Where the control plane's programs are taken from."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from namespace_isolation.sandbox import Progress, SandboxError, download, obtain, places
from namespace_isolation.sandbox.programs import look_up
from namespace_isolation.sandbox.versions import PROGRAMS, REQUIRED

_NEW = "v1.36.3"


def _write_program(directory: Path, name: str, answer: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\necho 'Version: {answer}'\n")
    file.chmod(0o755)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """A machine with programs in the four places; `path` maps each program to its version."""

    assets: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
    downloaded: tuple[str, ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)

    def environment(self, root: Path) -> dict[str, str]:
        """Put the programs in place."""
        cache = root / "cache" / "nsiso"
        for directory, names in (
            (root / "assets", self.assets),
            (places.built_directory(cache), self.built),
            (places.downloaded_directory(cache), self.downloaded),
        ):
            for name in names:
                _write_program(directory, name, _NEW)
        for name, version in self.path.items():
            _write_program(root / "bin", name, version)
        assets = {"KUBEBUILDER_ASSETS": str(root / "assets")} if self.assets else {}
        return {"XDG_CACHE_HOME": str(root / "cache"), "PATH": str(root / "bin"), **assets}


_ON_PATH = dict.fromkeys(PROGRAMS, _NEW)
_FOUND = {
    "KUBEBUILDER_ASSETS comes before all else": (
        _Machine(assets=REQUIRED, built=PROGRAMS, downloaded=REQUIRED, path=_ON_PATH),
        "KUBEBUILDER_ASSETS",
    ),
    "what was built comes before what was downloaded": (
        _Machine(built=PROGRAMS, downloaded=REQUIRED, path=_ON_PATH),
        "the cache (built from Go modules)",
    ),
    "what was downloaded comes before the PATH": (
        _Machine(downloaded=REQUIRED, path=_ON_PATH),
        "the cache (envtest archive)",
    ),
    "a build that lacks a program does not count": (_Machine(built=PROGRAMS[:3], path=_ON_PATH), "the PATH"),
    "a download that lacks a program does not count": (
        _Machine(downloaded=REQUIRED[:2], path=_ON_PATH),
        "the PATH",
    ),
    "the PATH may be of another new version": (_Machine(path=dict.fromkeys(PROGRAMS, "v1.31.0")), "the PATH"),
    "a PATH without a controller manager does not count": (_Machine(path=dict.fromkeys(REQUIRED, _NEW)), None),
    "a PATH with a vendor's kubectl of another version does not count": (
        _Machine(path={**_ON_PATH, "kubectl": "v1.32.4-dispatcher"}),
        None,
    ),
    "a PATH that is too old does not count": (_Machine(path=dict.fromkeys(PROGRAMS, "v1.30.9")), None),
    "an empty machine has nothing": (_Machine(), None),
}


@pytest.mark.parametrize(("machine", "origin"), _FOUND.values(), ids=_FOUND)
def test_programs_are_looked_for_in_order(machine: _Machine, origin: str | None, tmp_path: Path) -> None:
    """The first complete set in the order of the design is taken, and only from one place."""
    found = look_up(machine.environment(tmp_path), Progress(io.StringIO()))
    assert (None if found is None else found.origin) == origin
    if found is not None:
        directories = {found.etcd.parent, found.kube_apiserver.parent, found.kubectl.parent}
        assert len(directories) == 1


def test_programs_on_the_path_that_do_not_fit_are_named(tmp_path: Path) -> None:
    """Whoever has programs on the PATH learns why they are not used."""
    said = io.StringIO()
    machine = _Machine(path={**_ON_PATH, "kubectl": "v1.32.4-dispatcher"})
    look_up(machine.environment(tmp_path), Progress(said))
    assert "kube-apiserver 1.36, kube-controller-manager 1.36, kubectl 1.32" in said.getvalue()


def test_kubebuilder_assets_that_lack_a_program_are_refused(tmp_path: Path) -> None:
    """A directory that was named on purpose is not passed over in silence."""
    environment = _Machine(assets=("etcd", "kube-apiserver"), path=_ON_PATH).environment(tmp_path)
    with pytest.raises(SandboxError, match=r"KUBEBUILDER_ASSETS=.*/assets has no kubectl\. Point it"):
        look_up(environment, Progress(io.StringIO()))


def test_kubebuilder_assets_that_are_too_old_are_refused(tmp_path: Path) -> None:
    """Kubernetes before 1.31 is not supported."""
    environment = _Machine(assets=REQUIRED).environment(tmp_path)
    _write_program(tmp_path / "assets", "kube-apiserver", "v1.28.0")
    with pytest.raises(SandboxError, match=r"kube-apiserver is 1\.28, not 1\.31 or newer"):
        look_up(environment, Progress(io.StringIO()))


def _go_that_says(answer: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / "bin").mkdir(exist_ok=True)
        (root / "bin" / "go").write_text(f"#!/bin/sh\n{answer}\n")
        (root / "bin" / "go").chmod(0o755)

    return write


_NO_BUILD: dict[str, tuple[Callable[[Path], None], str]] = {
    "without Go": (lambda _: None, r"there is no Go on the PATH\. Install Go 1\.26\.0 or newer \(https://go\.dev/dl\)"),
    "with an old Go": (
        _go_that_says("""echo '{"GOVERSION": "go1.22.3"}'"""),
        r"bin/go is go1\.22\.3, too old to build Kubernetes 1\.36\.3\. Install Go 1\.26\.0 or newer",
    ),
    "with a Go that does not work": (
        _go_that_says("echo 'cannot find GOROOT' >&2; exit 2"),
        r"bin/go does not work: cannot find GOROOT\. Install Go",
    ),
}


@pytest.mark.parametrize(("prepare", "sentence"), _NO_BUILD.values(), ids=_NO_BUILD)
def test_a_machine_without_programs_download_and_go_is_told_what_to_install(
    prepare: Callable[[Path], None], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what was tried and every way out."""
    monkeypatch.setattr(download, "fetch_envtest", _no_network)
    environment = _Machine().environment(tmp_path)
    prepare(tmp_path)
    with pytest.raises(SandboxError, match=sentence) as caught:
        obtain(Progress(io.StringIO()), environment)
    assert "not downloaded: no network" in str(caught.value)
    assert "KUBEBUILDER_ASSETS=<directory with the programs>" in str(caught.value)


def test_without_go_a_downloaded_set_runs_without_a_controller_manager_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published archive has no controller manager: what that costs is said, and the sandbox is usable."""

    def fetch(target: Path, _: Progress) -> None:
        for name in REQUIRED:
            _write_program(target, name, "v1.36.2")

    monkeypatch.setattr(download, "fetch_envtest", fetch)
    said = io.StringIO()
    found = obtain(Progress(said), _Machine().environment(tmp_path))
    assert found.missing == ("kube-controller-manager",)
    assert "without kube-controller-manager (there is no Go on the PATH" in said.getvalue()
    assert "deleted namespaces stay Terminating" in said.getvalue()


def test_a_downloaded_set_uses_a_controller_manager_that_was_built_before(tmp_path: Path) -> None:
    """A controller manager of the same minor version is as good as one of the same place."""
    machine = _Machine(downloaded=REQUIRED, built=("kube-controller-manager",))
    found = obtain(Progress(io.StringIO()), machine.environment(tmp_path))
    assert found.missing == ()


def _no_network(_: Path, __: Progress) -> None:
    raise SandboxError("no network")
