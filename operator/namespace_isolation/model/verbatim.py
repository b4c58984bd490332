"""Verbatim NetworkPolicies, and what they share with allow entries: names, and sides that are never empty."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StrictStr

from namespace_isolation.model import limits, syntax
from namespace_isolation.model.peers import Peers, Ports, not_empty
from namespace_isolation.model.selectors import LabelSelector
from namespace_isolation.model.wire import Wire, rule

__all__ = [
    "Description",
    "Direction",
    "EgressRule",
    "From",
    "IngressRule",
    "Name",
    "NetworkPolicySpec",
    "RulePorts",
    "To",
    "VerbatimPolicy",
]

Direction = Literal["Ingress", "Egress"]

_DNS_LABEL_RULE: Final = rule(
    cel="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    message="must be a DNS label: lower-case letters, digits and '-', starting and ending with a letter or digit",
    holds=syntax.is_dns_label,
)
Name = Annotated[StrictStr, Field(max_length=limits.NAME_LENGTH), _DNS_LABEL_RULE]
Description = Annotated[StrictStr, Field(max_length=limits.DESCRIPTION_LENGTH)]
From = Annotated[Peers, not_empty("everyone")]
To = Annotated[Peers, not_empty("everywhere")]
RulePorts = Annotated[Ports, not_empty("every port")]


class IngressRule(Wire):
    """Connections that are allowed in; an empty rule ({}) allows all."""

    from_: From | None = Field(default=None, description="Who may connect. Left out: everyone.")
    ports: RulePorts | None = Field(default=None, description="To which ports. Left out: to every port.")


class EgressRule(Wire):
    """Connections that are allowed out; an empty rule ({}) allows all."""

    to: To | None = Field(default=None, description="Where pods may connect to. Left out: everywhere.")
    ports: RulePorts | None = Field(default=None, description="On which ports. Left out: on every port.")


class NetworkPolicySpec(Wire):
    """The spec of a NetworkPolicy as Kubernetes knows it."""

    pod_selector: LabelSelector = Field(
        default=LabelSelector(),
        json_schema_extra={"default": {}},
        description="The pods that the policy is about. An empty selector ({}) selects every pod of the namespace.",
    )
    policy_types: Annotated[tuple[Direction, ...], Field(max_length=2)] | None = Field(
        default=None,
        description=(
            "The directions that the policy isolates: Ingress, Egress, or both. Left out: Ingress, and Egress if there "
            "are egress rules."
        ),
    )
    ingress: Annotated[tuple[IngressRule, ...], Field(max_length=limits.RULES)] | None = Field(
        default=None, description="What may connect to the pods. Empty: nothing, if policyTypes has Ingress."
    )
    egress: Annotated[tuple[EgressRule, ...], Field(max_length=limits.RULES)] | None = Field(
        default=None, description="What the pods may connect to. Empty: nothing, if policyTypes has Egress."
    )


class VerbatimPolicy(Wire):
    """A NetworkPolicy that is put into every matching namespace as it stands here."""

    name: Annotated[
        Name,
        rule(
            cel="!self.startsWith('default-deny-') && !self.startsWith('allow-')",
            message="names that start with default-deny- or allow- are those of generated policies: choose another",
            holds=lambda name: not name.startswith(("default-deny-", "allow-")),
        ),
    ] = Field(description="A DNS label, unique in the list; the policy is called <isolation>.<name>.")
    description: Description | None = Field(
        default=None, description="What the policy is for, in a sentence; it is copied to the generated policies."
    )
    spec: NetworkPolicySpec = Field(description="The spec of the NetworkPolicy.")
