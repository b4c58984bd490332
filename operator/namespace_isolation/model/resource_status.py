"""The status of a NamespaceIsolation as it is written: bounded whatever the number of namespaces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, WithJsonSchema

from namespace_isolation.model import limits
from namespace_isolation.model.resource import Direction
from namespace_isolation.model.wire import Unique, Wire

__all__ = [
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
        default=None, description="The field manager that made the last change, such as kubectl-edit."
    )
    action: _Word = Field(description="What was done about it: Corrected, or Reported where mode is Audit.")
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
        default=(), description="The directions in which it allows more."
    )


class UnmanagedStatus(Wire):
    """Other NetworkPolicies in the namespaces, where unmanagedPolicies asks for them."""

    count: _Count | None = Field(default=None, description="How many there are.")
    recent: Annotated[tuple[UnmanagedPolicy, ...], Field(max_length=limits.RECENT)] = Field(
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

    observed_generation: _Count | None = Field(
        default=None, description="The metadata.generation that this status is about."
    )
    namespaces: NamespacesStatus | None = Field(
        default=None, description="The namespaces that this resource isolates, counted."
    )
    policies: PoliciesStatus | None = Field(
        default=None, description="The generated policies in all namespaces, counted."
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
