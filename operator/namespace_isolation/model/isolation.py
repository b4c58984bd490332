"""A NamespaceIsolation as the operator knows it: its spec once accepted, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from namespace_isolation.model.fault import Fault
from namespace_isolation.model.resource import IsolationSpec

__all__ = ["Isolation", "Stance"]


class Stance(Enum):
    """What an isolation asks of the operator."""

    WANTED = "Wanted"
    """Its policies are to be in place."""
    AUDIT = "Audit"
    """What is in place stays as it is; what would be done for it is only reported."""
    FROZEN = "Frozen"
    """It is not accepted: what is in place stays as it is, nothing is added, repaired or removed."""
    LEAVING = "Leaving"
    """It is being deleted: its policies are to go."""

    @property
    def is_standing(self) -> bool:
        """Whether what is in place stays as it is: neither added to, nor repaired, nor removed."""
        return self in {Stance.AUDIT, Stance.FROZEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """One NamespaceIsolation; `spec` is None exactly where `faults` say why it is not accepted."""

    name: str
    uid: str
    generation: int
    resource_version: int
    spec: IsolationSpec | None
    faults: tuple[Fault, ...]
    notices: tuple[Fault, ...]
    deleting: bool
    retain: bool
    finalizers: tuple[str, ...]

    @property
    def stance(self) -> Stance:
        """Decide what is to be done for this isolation.

        One that goes with deletionPolicy Retain still wants its policies: only their ownerReferences go. One in Audit
        that goes takes with it what an earlier Enforce left in place: the garbage collector would, in any order.
        """
        if self.deleting and not self.retain:
            return Stance.LEAVING
        if self.spec is None:
            return Stance.FROZEN
        return Stance.AUDIT if self.spec.mode == "Audit" else Stance.WANTED

    def same_intent(self, other: Isolation | None) -> bool:
        """Whether nothing changed that could change a policy or the status."""
        return (
            other is not None
            and self.uid == other.uid
            and self.generation == other.generation
            and self.deleting == other.deleting
            and self.retain == other.retain
        )
