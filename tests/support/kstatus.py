"""What kstatus makes of a custom resource: the rules by which Flux and kpt tell whether work on it is done.

After pkg/kstatus of sigs.k8s.io/cli-utils v0.37.2, for kinds without rules of their own. Flux waits for Current, and
gives up early on Failed. Argo CD takes every kind that it has no script for as healthy.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

__all__ = ["Kstatus", "contradictions", "kstatus_of"]


class Kstatus(StrEnum):
    """The results that kstatus can come to."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"


_CONDITIONS = ("Accepted", "Ready", "Reconciling", "Stalled")
_BY_CONDITION = {"Reconciling": Kstatus.IN_PROGRESS, "Stalled": Kstatus.FAILED}
_BY_READY = {"True": Kstatus.CURRENT, "False": Kstatus.IN_PROGRESS, "Unknown": Kstatus.IN_PROGRESS}


def kstatus_of(document: Mapping[str, Any]) -> Kstatus:
    """Compute the kstatus of a custom resource as served.

    The first of Reconciling and Stalled that is True decides, in the order in which they stand; then Ready. An object
    that says nothing of itself is Current.
    """
    metadata, status = document["metadata"], document.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Kstatus.TERMINATING
    if "generation" in metadata and status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return Kstatus.IN_PROGRESS
    conditions = status.get("conditions") or ()
    for condition in conditions:
        if condition["type"] in _BY_CONDITION and condition["status"] == "True":
            return _BY_CONDITION[condition["type"]]
    for condition in conditions:
        if condition["type"] == "Ready" and condition["status"] in _BY_READY:
            return _BY_READY[condition["status"]]
    return Kstatus.CURRENT


def contradictions(document: Mapping[str, Any]) -> list[str]:
    """Tell what an isolation says of itself that cannot be true at once; a status that says nothing yet is none."""
    status, generation = document.get("status") or {}, document["metadata"]["generation"]
    conditions = status.get("conditions")
    if conditions is None:
        return []
    state = {condition["type"]: condition["status"] for condition in conditions}
    true = {kind for kind, value in state.items() if value == "True"}
    observed = [status["observedGeneration"], *(each["observedGeneration"] for each in conditions)]
    found = {
        "not the four conditions, each once": sorted(each["type"] for each in conditions) != sorted(_CONDITIONS),
        "a condition that is neither True nor False": not set(state.values()) <= {"True", "False"},
        "reconciling and stalled": true >= {"Reconciling", "Stalled"},
        "ready and reconciling": true >= {"Ready", "Reconciling"},
        "ready and stalled": true >= {"Ready", "Stalled"},
        "neither ready, nor reconciling, nor stalled": not true & {"Ready", "Reconciling", "Stalled"},
        "not accepted and not stalled": "Accepted" not in true and "Stalled" not in true and "Reconciling" not in true,
        "stalled although accepted": true >= {"Accepted", "Stalled"},
        "a generation that is ahead": max(observed) > generation,
        "conditions of different generations": len(set(observed)) != 1,
    }
    return [what for what, holds in found.items() if holds]
