"""Objects for unit tests: isolations, namespaces, live policies and views, each from the few facts a test is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.canonical import canonical_spec, dumps
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import PROTECTED_NAMESPACES
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import LivePolicy, Owner, Policy, policy_from
from namespace_isolation.model.view import View
from namespace_isolation.observe.isolations import read_isolation
from namespace_isolation.observe.served_policy import read_policy
from tests.support.api_server import stored_spec

__all__ = [
    "NAMESPACE",
    "PROTECTED",
    "audited",
    "desired_in",
    "foreign_document",
    "frozen",
    "isolation",
    "isolation_document",
    "live_from",
    "namespace",
    "namespace_document",
    "policy",
    "spec_texts",
    "stored",
    "stranger",
    "uid_of",
    "view",
]

Json = dict[str, Any]

NAMESPACE = "payments"
PROTECTED = PROTECTED_NAMESPACES | {"nsiso-system"}


def spec_texts(documents: Mapping[str, Json]) -> dict[str, str]:
    """Give the specs of policies as canonical texts, by name."""
    return {name: dumps(canonical_spec(each["spec"])) for name, each in documents.items()}


def uid_of(name: str) -> str:
    """Give the uid that the isolation of this name has in tests."""
    return f"uid-of-{name}"


def isolation_document(name: str = "team", spec: object = None, **metadata: Any) -> Json:  # noqa: ANN401 - any JSON
    """Write a NamespaceIsolation as served; without a spec, of the namespace payments and nothing else."""
    return {
        "apiVersion": "nsiso.dev/v1alpha1",
        "kind": "NamespaceIsolation",
        "metadata": {"name": name, "uid": uid_of(name), "generation": 1, "resourceVersion": "1", **metadata},
        "spec": {"namespaces": {"names": [NAMESPACE]}} if spec is None else spec,
    }


def isolation(
    name: str = "team",
    *,
    generation: int = 1,
    uid: str | None = None,
    deleting: bool = False,
    finalizers: Iterable[str] = (),
    **spec: Any,  # noqa: ANN401 - any JSON
) -> Isolation:
    """Read an isolation of the namespace payments; `spec` holds the fields that the test is about."""
    metadata: Json = {"uid": uid or uid_of(name), "generation": generation, "finalizers": list(finalizers)}
    metadata["resourceVersion"] = str(generation)
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    whole = {"namespaces": {"names": [NAMESPACE]}, **spec}
    return read_isolation(isolation_document(name, whole, **metadata))


def audited(name: str = "team", **facts: Any) -> Isolation:  # noqa: ANN401 - as of `isolation`
    """Read an isolation in Audit."""
    return isolation(name, mode="Audit", **facts)


def frozen(name: str = "team", **facts: Any) -> Isolation:  # noqa: ANN401 - as of `isolation`
    """Read an isolation that is not accepted, which an older CRD let in."""
    found = isolation(name, mode="Dry", **facts)
    assert found.stance in {Stance.FROZEN, Stance.LEAVING}
    return found


def namespace_document(name: str = NAMESPACE, labels: Mapping[str, str] | None = None, **metadata: Any) -> Json:  # noqa: ANN401
    """Write a Namespace as served."""
    facts = {"name": name, "uid": f"uid-of-namespace-{name}", "labels": dict(labels or {}), "resourceVersion": "1"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {**facts, **metadata}}


def namespace(name: str = NAMESPACE, labels: Mapping[str, str] | None = None, *, ending: bool = False) -> Namespace:
    """Make a namespace."""
    uid = f"uid-of-namespace-{name}"
    return Namespace(name=name, uid=uid, labels=dict(labels or {}), ending=ending)


def policy(name: str, spec: Mapping[str, Any] | None = None, *, owner: bool = True) -> Policy:
    """Make a desired policy; the part of its name before the last dot is its isolation."""
    of = name.rpartition(".")[0]
    return policy_from(
        name=name,
        isolation=of,
        description=f"What {name} is for.",
        spec={"policyTypes": ["Ingress", "Egress"]} if spec is None else spec,
        owner=Owner(of, uid_of(of)) if owner else None,
    )


def stored(manifest: Mapping[str, Any], *, version: int = 1, uid: str | None = None) -> Json:
    """Give a manifest what the API server adds."""
    metadata = dict(manifest["metadata"])
    metadata |= {"uid": uid or f"uid-of-{metadata['name']}", "resourceVersion": str(version), "generation": 1}
    return {**manifest, "metadata": metadata, "spec": stored_spec(manifest.get("spec") or {})}


def foreign_document(name: str, spec: Mapping[str, Any] | None = None, **metadata: Any) -> Json:  # noqa: ANN401
    """Write a NetworkPolicy of somebody else as served; without a spec it lets everybody in."""
    manifest = {"metadata": {"name": name, "namespace": NAMESPACE, **metadata}}
    return stored({**manifest, "spec": {"ingress": [{}]} if spec is None else spec})


def stranger(name: str, spec: Mapping[str, Any] | None = None, **metadata: Any) -> LivePolicy:  # noqa: ANN401
    """Make a live policy of somebody else."""
    return read_policy(foreign_document(name, spec, **metadata))


def live_from(wanted: Policy, *, foreign: bool = False, **facts: Any) -> LivePolicy:  # noqa: ANN401 - its fields
    """Make the live policy that is as desired but for the facts given, as LivePolicy calls them."""
    found = read_policy(stored(wanted.manifest(NAMESPACE)))
    return structs.replace(found, foreign=foreign, **facts)


def view(
    *isolations: Isolation,
    live: Iterable[LivePolicy] = (),
    lost: Iterable[str] = (),
    others: Iterable[Isolation] = (),
    ending: bool = False,
    gone: bool = False,
) -> View:
    """Look at the namespace payments, which all `isolations` govern and none of the `others`.

    Like the membership, an isolation without an accepted spec governs nothing.
    """
    return View(
        name=NAMESPACE,
        namespace=None if gone else namespace(ending=ending),
        governing=tuple(each for each in isolations if each.spec is not None),
        isolations={each.name: each for each in (*isolations, *others)},
        live={each.name: each for each in live},
        lost=frozenset(lost),
    )


def desired_in(seen: View) -> dict[str, Policy]:
    """Decide with renderings of its own."""
    return decide(seen, Renderings())
