"""The body of a repair: our spec and marks, and everything of others that does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from namespace_isolation.model.policy import LivePolicy, Policy, is_isolation_reference, owner_reference

__all__ = ["released", "renewed", "repaired"]

Json = dict[str, Any]


def released(document: Mapping[str, Any]) -> Json:
    """Take our ownerReference out of the object as served; everything else stays."""
    metadata: Json = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    references = metadata.get("ownerReferences") or ()
    metadata["ownerReferences"] = [each for each in references if not is_isolation_reference(each)]
    return {**document, "metadata": metadata}


def repaired(policy: Policy, document: Mapping[str, Any]) -> Json:
    """Put a policy's spec, labels, annotations and ownerReference into the object as served.

    Foreign labels, annotations, finalizers and ownerReferences stay; the resourceVersion guards the write.
    """
    metadata: Json = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    metadata["labels"] = (metadata.get("labels") or {}) | policy.labels
    metadata["annotations"] = (metadata.get("annotations") or {}) | policy.annotations
    foreign = [each for each in metadata.get("ownerReferences") or () if not is_isolation_reference(each)]
    ours = [] if policy.owner is None else [owner_reference(policy.owner)]
    metadata["ownerReferences"] = foreign + ours
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": policy.spec,
    }


def renewed(policy: Policy, live: LivePolicy) -> Json:
    """Put a policy in the place of a bare one: nobody else's labels, annotations, finalizers or owners are lost."""
    manifest = policy.manifest(live.namespace)
    manifest["metadata"] |= {"uid": live.uid, "resourceVersion": str(live.resource_version)}
    return manifest
