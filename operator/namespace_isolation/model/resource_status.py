"""The status of a NamespaceIsolation as it is written: bounded whatever the number of namespaces."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt, StrictStr, WithJsonSchema

from namespace_isolation.model import limits
from namespace_isolation.model.resource import Direction
from namespace_isolation.model.wire import Unique, Wire

__all__ = [
    "NOT_OBSERVED",
    "AuditStatus",
    "AuditedStep",
    "DriftRecord",
    "DriftStatus",
    "IsolationStatus",
    "NamespacesStatus",
    "PoliciesStatus",
    "Problem",
    "StatusCondition",
    "UnmanagedPolicy",
    "UnmanagedStatus",
]

NOT_OBSERVED: Final = -1
"""The observedGeneration of a resource that nobody has looked at yet: without it, kstatus takes it for done."""

_Count = Annotated[StrictInt, Field(ge=0)]
_Word = Annotated[StrictStr, Field(max_length=limits.WORD_LENGTH)]
_PolicyName = Annotated[StrictStr, Field(max_length=limits.OBJECT_NAME_LENGTH)]
_Namespace = Annotated[StrictStr, Field(max_length=limits.NAME_LENGTH)]
_Message = Annotated[StrictStr, Field(max_length=limits.MESSAGE_LENGTH)]
_Time = Annotated[StrictStr, WithJsonSchema({"type": "string", "format": "date-time"})]


class NamespacesStatus(Wire):
    """The namespaces that this resource isolates, counted."""

    summary: _Word | None = Field(default=None, description="inSync and matched as kubectl get shows them: 11/12.")
    matched: _Count | None = Field(default=None, description="Namespaces that match.")
    in_sync: _Count | None = Field(default=None, description="Namespaces in which every policy is as it should be.")
    drifted: _Count | None = Field(
        default=None, description="Namespaces in which a policy is not as it should be, and not yet repaired."
    )
    failed: _Count | None = Field(
        default=None, description="Namespaces in which the last attempt failed; problems says why."
    )


class PoliciesStatus(Wire):
    """The generated policies in all namespaces, counted."""

    summary: _Word | None = Field(default=None, description="inPlace and desired as kubectl get shows them: 47/48.")
    desired: _Count | None = Field(default=None, description="Policies that should be there.")
    in_place: _Count | None = Field(default=None, description="Policies that are there as they should be.")


class DriftRecord(Wire):
    """One policy that was found changed."""

    namespace: _Namespace = Field(description="The namespace of the policy.")
    policy: _PolicyName = Field(description="The name of the policy.")
    kind: _Word = Field(
        description=(
            "What was found. Modified: something changed it. Deleted: it was gone. Extra: a policy of this "
            "resource that it does not ask for."
        )
    )
    fields: Annotated[tuple[_PolicyName, ...], Field(max_length=limits.RECENT)] = Field(
        default=(), description="The fields that differed, such as spec.egress."
    )
    manager: _PolicyName | None = Field(
        default=None,
        description=(
            "The field manager that made the last change, such as kubectl-edit; unknown where managedFields do not "
            "tell, as when a field was removed or the policy deleted."
        ),
    )
    changed: _Time | None = Field(default=None, description="When that field manager made its last change, if known.")
    action: _Word = Field(
        description=(
            "What was done about it. Corrected; Reported, where mode is Audit; Failed, where it could not be "
            "corrected, for which problems gives the reason."
        )
    )
    time: _Time = Field(description="When it was found.")


class DriftStatus(Wire):
    """Policies that were found changed."""

    corrected: _Count | None = Field(default=None, description="Drifts corrected since this resource was created.")
    outstanding: _Count | None = Field(default=None, description="Drifts that are there now.")
    recent: Annotated[tuple[DriftRecord, ...], Field(max_length=limits.RECENT)] = Field(
        default=(), description="The last drifts, newest first, at most 20."
    )


class Problem(Wire):
    """Why a namespace is not as it should be."""

    namespace: _Namespace = Field(description="The namespace.")
    reason: _Word = Field(description="The cause in one word, such as Forbidden.")
    message: _Message = Field(description="What went wrong, and what to do about it.")


class UnmanagedPolicy(Wire):
    """A NetworkPolicy of somebody else that allows more than this resource does."""

    namespace: _Namespace = Field(description="The namespace of the policy.")
    policy: _PolicyName = Field(description="The name of the policy.")
    widens: Annotated[tuple[Direction, ...], Field(max_length=2)] = Field(
        default=(), description="The directions in which it allows what this resource denies."
    )
    wide_open: Annotated[tuple[Direction, ...], Field(max_length=2)] = Field(
        default=(), description="Those of them in which it allows every peer on every port."
    )
    kept: _Message | None = Field(default=None, description="Why it is not removed, where unmanagedPolicies is Remove.")


class UnmanagedStatus(Wire):
    """Other NetworkPolicies in the namespaces that allow more, unless unmanagedPolicies is Ignore."""

    count: _Count | None = Field(default=None, description="How many there are.")
    recent: Annotated[tuple[UnmanagedPolicy, ...], Field(max_length=limits.RECENT)] = Field(
        default=(), description="The first of them, those that are wide open before the others, at most 20."
    )


class AuditedStep(Wire):
    """One policy that would be written if mode were Enforce."""

    namespace: _Namespace = Field(description="The namespace of the policy.")
    policy: _PolicyName = Field(description="The name of the policy.")
    action: _Word = Field(description="What would be done: Create, Update or Delete.")
    why: _Word = Field(
        description=(
            "Why. Wanted: it is new. Outdated, Unwanted: the resource changed. TakenOver: somebody made a policy of "
            "its name. Modified, Deleted, Extra: it drifted. Unmanaged: it is somebody else's and allows more."
        )
    )


class AuditStatus(Wire):
    """What Enforce would do; nothing of it is done while mode is Audit."""

    create: _Count | None = Field(default=None, description="Policies that would be created.")
    update: _Count | None = Field(default=None, description="Policies that would be changed.")
    delete: _Count | None = Field(default=None, description="Policies that would be deleted.")
    first: Annotated[tuple[AuditedStep, ...], Field(max_length=limits.RECENT)] = Field(
        default=(), description="The first of them, at most 20."
    )


class StatusCondition(Wire):
    """A standard Kubernetes condition."""

    type: Annotated[StrictStr, Field(max_length=limits.LABEL_KEY_LENGTH)] = Field(
        description=(
            "Accepted: the spec is one that can be carried out. Ready: every policy is in place. Reconciling: work is "
            "under way. Stalled: work cannot go on without a change by somebody."
        )
    )
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    observed_generation: _Count | None = Field(
        default=None, description="The metadata.generation that the condition is about."
    )
    last_transition_time: _Time = Field(description="When status last changed.")
    reason: _Word = Field(description="The cause in one word.")
    message: _Message = Field(description="The cause in a sentence.")


class IsolationStatus(Wire):
    """What is in place, what drifted, who did it, and what was done about it. Written by the operator."""

    observed_generation: Annotated[StrictInt, Field(ge=NOT_OBSERVED)] | None = Field(
        default=None,
        description="The metadata.generation that this status is about; -1 until the operator has looked at it.",
    )
    namespaces: NamespacesStatus | None = Field(
        default=None, description="The namespaces that this resource isolates, counted."
    )
    policies: PoliciesStatus | None = Field(
        default=None, description="The generated policies in all namespaces, counted."
    )
    audit: AuditStatus | None = Field(
        default=None, description="Where mode is Audit: what Enforce would do. Nothing of it is done."
    )
    drift: DriftStatus | None = Field(default=None, description="Policies that were found changed.")
    problems: Annotated[tuple[Problem, ...], Field(max_length=limits.RECENT)] = Field(
        default=(), description="Why namespaces are not as they should be, at most 20."
    )
    unmanaged: UnmanagedStatus | None = Field(
        default=None, description="Other NetworkPolicies in the namespaces that allow more than this resource."
    )
    conditions: Annotated[tuple[StatusCondition, ...], Field(max_length=limits.CONDITIONS), Unique(key="type")] = Field(
        default=(), description="Standard conditions: Accepted, Ready, Reconciling, Stalled."
    )
