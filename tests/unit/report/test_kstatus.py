"""Our port of kstatus, held to a table; its last column is what sigs.k8s.io/cli-utils v0.37.2 answered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kstatus import kstatus_of

Json = dict[str, Any]


def _object(*conditions: str, generation: int | None = 2, observed: int | None = 2, deleted: str | None = None) -> Json:
    """Write an object of which only this is known; a condition is its type and status: `Ready=True`."""
    told: Json = {} if observed is None else {"observedGeneration": observed}
    if conditions:
        pairs = [condition.split("=") for condition in conditions]
        told["conditions"] = [{"type": kind, "status": status} for kind, status in pairs]
    facts = {"generation": generation, "deletionTimestamp": deleted}
    known = {key: value for key, value in facts.items() if value is not None}
    return {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "metadata": known, "status": told}


_DELETED = "2026-01-01T00:00:00Z"
_NO_STATUS = {key: value for key, value in _object().items() if key != "status"}

TABLE = {
    "nothing is known yet": (_NO_STATUS, "Current"),
    "an empty status": (_object(observed=None), "Current"),
    "only a generation": (_object(), "Current"),
    "a status that waits for its first generation": (_object(observed=-1), "InProgress"),
    "an older generation": (_object("Ready=True", observed=1), "InProgress"),
    "a generation that is ahead": (_object("Ready=True", observed=3), "InProgress"),
    "no generation of its own": (_object("Ready=True", generation=None, observed=3), "Current"),
    "no generation observed": (_object("Ready=True", observed=None), "Current"),
    "ready": (_object("Ready=True"), "Current"),
    "not ready": (_object("Ready=False"), "InProgress"),
    "perhaps ready": (_object("Ready=Unknown"), "InProgress"),
    "ready in a word of its own": (_object("Ready=true"), "Current"),
    "ready twice": (_object("Ready=yes", "Ready=False"), "InProgress"),
    "all four, in place": (_object("Accepted=True", "Ready=True", "Reconciling=False", "Stalled=False"), "Current"),
    "all four, at work": (_object("Accepted=True", "Ready=False", "Reconciling=True", "Stalled=False"), "InProgress"),
    "all four, stuck": (_object("Accepted=False", "Ready=False", "Reconciling=False", "Stalled=True"), "Failed"),
    "not accepted, and nothing else said": (_object("Accepted=False", "Ready=False"), "InProgress"),
    "reconciling although ready": (_object("Ready=True", "Reconciling=True"), "InProgress"),
    "stalled although ready": (_object("Ready=True", "Stalled=True"), "Failed"),
    "stalled, then reconciling": (_object("Stalled=True", "Reconciling=True"), "Failed"),
    "reconciling, then stalled": (_object("Reconciling=True", "Stalled=True"), "InProgress"),
    "perhaps reconciling": (_object("Reconciling=Unknown", "Ready=True"), "Current"),
    "stalled in an older generation": (_object("Stalled=True", observed=1), "InProgress"),
    "deleted": (_object("Ready=True", deleted=_DELETED), "Terminating"),
    "deleted and stalled": (_object("Stalled=True", deleted=_DELETED), "Terminating"),
    "deleted in an older generation": (_object(observed=1, deleted=_DELETED), "Terminating"),
}


@pytest.mark.parametrize(("document", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_kstatus_makes_of_an_object(document: Json, expected: str) -> None:
    """Deletion, then the generation, then Reconciling and Stalled, then Ready."""
    assert kstatus_of(document) == expected
