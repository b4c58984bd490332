"""Which control plane the sandbox runs: versions, programs by name, published archives with checksums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "CONTROLLER_MANAGER",
    "ENVTEST_ARCHIVES",
    "ENVTEST_VERSION",
    "KUBERNETES_VERSION",
    "OLDEST_MINOR",
    "PROGRAMS",
    "REQUIRED",
    "Archive",
    "minor_of",
]

KUBERNETES_VERSION: Final = "1.36.3"
OLDEST_MINOR: Final = (1, 31)

CONTROLLER_MANAGER: Final = "kube-controller-manager"
REQUIRED: Final = ("etcd", "kube-apiserver", "kubectl")
PROGRAMS: Final = (*REQUIRED, CONTROLLER_MANAGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A published archive and the SHA-512 that it must have (128 hex digits)."""

    url: str
    sha512: str


ENVTEST_VERSION: Final = "1.36.2"
_ENVTEST: Final = "https://github.com/kubernetes-sigs/controller-tools/releases/download"
_SHA512: Final = {
    "linux-amd64": (
        "ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dc"
        "f30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08"
    ),
    "linux-arm64": (
        "2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae2818"
        "1afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac"
    ),
    "darwin-amd64": (
        "b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbe"
        "f8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514"
    ),
    "darwin-arm64": (
        "9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916"
        "e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce"
    ),
}
# From envtest-releases.yaml of kubernetes-sigs/controller-tools; the newest patch of 1.36 there is 1.36.2.
ENVTEST_ARCHIVES: Final = {
    platform: Archive(
        url=f"{_ENVTEST}/envtest-v{ENVTEST_VERSION}/envtest-v{ENVTEST_VERSION}-{platform}.tar.gz",
        sha512=sha512,
    )
    for platform, sha512 in _SHA512.items()
}


def minor_of(version: str) -> tuple[int, int]:
    """Read major and minor from a version such as `1.36.3` or `v1.32.4-vendor`; ValueError for others."""
    major, minor, *_ = version.removeprefix("v").split(".")
    return int(major), int(minor)
