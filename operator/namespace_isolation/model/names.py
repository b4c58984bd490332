"""Every string that the cluster sees: the resource, labels, annotations, the names of generated policies."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "ANNOTATION_DESCRIPTION",
    "ANNOTATION_HASH",
    "API_VERSION",
    "FIELD_MANAGER",
    "FINALIZER",
    "GROUP",
    "KIND",
    "LABEL_ISOLATION",
    "LABEL_MANAGED_BY",
    "MANAGED_BY",
    "NAMESPACE_NAME_LABEL",
    "PLURAL",
    "PROTECTED_NAMESPACES",
    "REPORTING_CONTROLLER",
    "SHORT_NAMES",
    "SINGULAR",
    "VERSION",
    "allow_name",
    "bridge_name",
    "default_deny_name",
    "dns_name",
    "isolation_of_generated_name",
    "protected_namespaces",
    "verbatim_name",
]

GROUP: Final = "nsiso.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "NamespaceIsolation"
PLURAL: Final = "namespaceisolations"
SINGULAR: Final = "namespaceisolation"
SHORT_NAMES: Final = ("nsiso",)

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "nsiso"
LABEL_ISOLATION: Final = "nsiso.dev/isolation"
ANNOTATION_DESCRIPTION: Final = "nsiso.dev/description"
ANNOTATION_HASH: Final = "nsiso.dev/hash"
FINALIZER: Final = "nsiso.dev/policies"
FIELD_MANAGER: Final = "nsiso"
REPORTING_CONTROLLER: Final = "nsiso.dev/operator"
NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"

PROTECTED_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_GENERATED: Final = re.compile(
    r"default-deny-(?:all|ingress|egress)"
    r"|allow-dns-egress"
    rf"|allow-{_LABEL}-(?:ingress|egress)(?:-[0-9a-f]{{8}})?"
    r"|allow-bridge-[0-9a-f]{8}"
)


def protected_namespaces(operator_namespace: str) -> frozenset[str]:
    """Name the namespaces that are selected by their exact name only."""
    return PROTECTED_NAMESPACES | {operator_namespace}


def default_deny_name(isolation: str, directions: tuple[str, ...]) -> str:
    """Name the default-deny policy of one or both directions."""
    suffix = "all" if len(directions) > 1 else directions[0].lower()
    return f"{isolation}.default-deny-{suffix}"


def dns_name(isolation: str) -> str:
    """Name the policy that lets every pod resolve names."""
    return f"{isolation}.allow-dns-egress"


def allow_name(isolation: str, entry: str, direction: str, selector_hash: str | None) -> str:
    """Name one side of an allow entry; `selector_hash` (8 hex digits) where the side has several local peers."""
    name = f"{isolation}.allow-{entry}-{direction.lower()}"
    return name if selector_hash is None else f"{name}-{selector_hash}"


def bridge_name(isolation: str, digest: str) -> str:
    """Name a policy that keeps flows while others change; `digest` is 8 hex digits of what it keeps."""
    return f"{isolation}.allow-bridge-{digest}"


def verbatim_name(isolation: str, policy: str) -> str:
    """Name a verbatim policy."""
    return f"{isolation}.{policy}"


def isolation_of_generated_name(policy: str) -> str | None:
    """Tell which isolation the form of a policy's name points to, or None where it is no generated name.

    The part behind the last dot decides: entry names are DNS labels and hold no dot, isolation names may.
    Verbatim policies have names of any form and are not recognised here.
    """
    isolation, dot, rest = policy.rpartition(".")
    return isolation if dot and isolation and _GENERATED.fullmatch(rest) else None
