"""The NamespaceIsolation as it is written: the models of its spec, and the reading of one with every fault named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StrictBool, StrictStr, ValidationError

from namespace_isolation.model import limits, syntax
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.faults import faults_of
from namespace_isolation.model.peers import IPBlock, Peer, Peers, Port, Ports, Protocol
from namespace_isolation.model.selectors import LabelSelector, LabelSelectorRequirement
from namespace_isolation.model.verbatim import (
    Description,
    Direction,
    EgressRule,
    From,
    IngressRule,
    Name,
    NetworkPolicySpec,
    RulePorts,
    To,
    VerbatimPolicy,
)
from namespace_isolation.model.wire import Rule, Unique, Wire, rule, wire

__all__ = [
    "NAME_RULE",
    "AllowEntry",
    "Direction",
    "Dns",
    "EgressRule",
    "IPBlock",
    "IngressRule",
    "InvalidSpec",
    "IsolationSpec",
    "LabelSelector",
    "LabelSelectorRequirement",
    "NamespaceFilter",
    "Namespaces",
    "NetworkPolicySpec",
    "Peer",
    "Port",
    "Protocol",
    "VerbatimPolicy",
    "faults_of_name",
    "parse_spec",
    "wire",
]

_NamespacePattern = Annotated[
    StrictStr,
    Field(max_length=limits.NAME_LENGTH),
    rule(
        cel="self.matches('^[a-z0-9*?]([-a-z0-9*?]*[a-z0-9*?])?$')",
        message=(
            "must be the name of a namespace: lower-case letters, digits and '-', starting and ending with a letter "
            "or digit, and * or ? for any characters or any one"
        ),
        holds=syntax.is_namespace_pattern,
    ),
]


class NamespaceFilter(Wire):
    """Namespaces by name, by label, or by both."""

    names: (
        Annotated[
            tuple[_NamespacePattern, ...],
            Field(max_length=limits.NAMESPACE_NAMES),
            rule(
                cel="size(self) > 0",
                message="an empty list names no namespace: list at least one, or leave names out and give a selector",
                holds=bool,
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Names of namespaces; * stands for any characters, ? for one, so payments-* matches payments-eu.",
    )
    selector: LabelSelector | None = Field(
        default=None, description="A label selector on namespaces. An empty selector ({}) selects every namespace."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        rule(
            cel="has(self.names) || has(self.selector)",
            message="give names, a selector, or both: names: [payments], or selector: {matchLabels: {team: payments}}",
            holds=lambda self: self.names is not None or self.selector is not None,
        ),
    )


class Namespaces(NamespaceFilter):
    """Which namespaces are isolated."""

    exclude: NamespaceFilter | None = Field(
        default=None,
        description=(
            "Namespaces that are left out although they match: those whose name is among names, and those that "
            "selector selects."
        ),
    )


class Dns(Wire):
    """Whether and where pods resolve names: without this, default-deny cuts DNS, too."""

    enabled: StrictBool = Field(default=True, description="Whether to generate allow-dns-egress. Default true.")
    to: Peers = Field(
        default=(),
        description=(
            "The DNS servers, as peers of a NetworkPolicy. Default: pods k8s-app=kube-dns in kube-system. A peer with "
            "only a podSelector means pods of the isolated namespace itself: add a namespaceSelector for others."
        ),
    )
    ports: Ports = Field(default=(), description="The DNS ports. Default: UDP 53 and TCP 53.")


def _mixed(side: str) -> Rule:
    remote = "has(p.namespaceSelector) || has(p.ipBlock)"
    return rule(
        cel=f"!has(self.{side}) || self.{side}.all(p, {remote}) || !self.{side}.exists(p, {remote})",
        message=(
            f"{side} mixes pods of the namespace with peers outside it: make two entries, one with the peers that have "
            "only a podSelector and one with the others"
        ),
        field_path=f".{side}",
        holds=lambda self: len({peer.is_local for peer in _side(self, side) or ()}) < 2,  # noqa: PLR2004 - one kind
    )


def _side(entry: AllowEntry, side: str) -> tuple[Peer, ...] | None:
    return entry.from_ if side == "from" else entry.to


def _both_remote(entry: AllowEntry) -> bool:
    return all(peers and not any(peer.is_local for peer in peers) for peers in (entry.from_, entry.to))


class AllowEntry(Wire):
    """A flow that is allowed: from these pods, to those, on these ports. One side at least is in the namespace."""

    name: Annotated[
        Name,
        rule(
            cel="self != 'dns'",
            message="dns is the name of the DNS policy: choose another, or set spec.dns",
            holds=lambda name: name != "dns",
        ),
    ] = Field(description="A DNS label, unique in the list; it becomes part of the names of the generated policies.")
    description: Description | None = Field(
        default=None, description="What the flow is for, in a sentence; it is copied to the generated policies."
    )
    from_: From | None = Field(
        default=None,
        description=(
            "Where connections start, as peers of a NetworkPolicy. A peer with only a podSelector is in the namespace "
            "itself; namespaceSelector or ipBlock makes it remote, and a side is all of the one or all of the other. "
            "Left out: every pod of the namespace."
        ),
    )
    to: To | None = Field(
        default=None,
        description=(
            "Where connections end, as peers of a NetworkPolicy. A peer with only a podSelector is in the namespace "
            "itself; namespaceSelector or ipBlock makes it remote, and a side is all of the one or all of the other. "
            "Left out: every pod of the namespace."
        ),
    )
    ports: RulePorts | None = Field(
        default=None, description="The ports that are allowed, as in a NetworkPolicy. Left out: every port."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        rule(
            cel="has(self.from) || has(self.to)",
            message=(
                "name from, to, or both: an entry without sides would allow everything inside the namespace, which is "
                "written from: [{podSelector: {}}]"
            ),
            holds=lambda self: self.from_ is not None or self.to is not None,
        ),
        _mixed("from"),
        _mixed("to"),
        rule(
            cel=(
                "!has(self.from) || !has(self.to) || "
                "self.from.exists(p, !has(p.namespaceSelector) && !has(p.ipBlock)) || "
                "self.to.exists(p, !has(p.namespaceSelector) && !has(p.ipBlock))"
            ),
            message=(
                "from and to both lie outside the namespace, so no policy in it can allow the flow: leave one side out "
                "for every pod of the namespace, or name its pods with only a podSelector"
            ),
            holds=lambda self: not _both_remote(self),
        ),
    )


class IsolationSpec(Wire):
    """What a NamespaceIsolation asks for."""

    namespaces: Namespaces = Field(
        description=(
            "Which namespaces are isolated: those that match all that is given. kube-system, kube-public, "
            "kube-node-lease and the operator's own namespace match only by their exact name."
        )
    )
    mode: Literal["Enforce", "Audit"] = Field(
        default="Enforce",
        description=(
            "Enforce (default) writes the policies and repairs them. Audit writes and enforces nothing: status.audit "
            "says what Enforce would do. What an earlier Enforce left in place stays as it is, and is not repaired, "
            "until the resource is deleted."
        ),
    )
    default_deny: Annotated[tuple[Direction, ...], Field(max_length=2), Unique()] = Field(
        default=("Ingress", "Egress"),
        description="The directions that are denied unless something allows them. Default both; [] for none.",
    )
    dns: Dns = Field(
        default=Dns(),
        json_schema_extra={"default": {}},
        description="Whether and where pods resolve names: without this, default-deny cuts DNS, too.",
    )
    allow: Annotated[tuple[AllowEntry, ...], Field(max_length=limits.ALLOW_ENTRIES), Unique(key="name")] = Field(
        default=(), description="The flows that are allowed, keyed by name."
    )
    policies: Annotated[tuple[VerbatimPolicy, ...], Field(max_length=limits.VERBATIM_POLICIES), Unique(key="name")] = (
        Field(default=(), description="NetworkPolicies to take as they are, for what allow cannot say, keyed by name.")
    )
    unmanaged_policies: Literal["Report", "Ignore", "Remove"] = Field(
        default="Report",
        description=(
            "What to do about NetworkPolicies of others that allow something in a direction that defaultDeny names: "
            "Report (default) them in status.unmanaged, Ignore them, or Remove them. Those are kept that another "
            "controller owns, that an isolation with deletionPolicy Retain left, that claim an isolation which is in "
            "Audit or not accepted, or that isolate pods for a direction that nothing else denies."
        ),
    )
    deletion_policy: Literal["Delete", "Retain"] = Field(
        default="Delete",
        description="What happens to the policies when this resource is deleted: Delete (default) or Retain them.",
    )


NAME_RULE: Final = rule(
    cel=f"size(self.metadata.name) <= {limits.NAME_LENGTH}",
    message=(
        f"metadata.name must have at most {limits.NAME_LENGTH} characters, because it becomes a label and a part of "
        "the policies' names: shorten it"
    ),
    holds=lambda name: len(name) <= limits.NAME_LENGTH,
)


class InvalidSpec(ValueError):  # noqa: N818 - it names what is wrong, and is caught as such
    """A spec that breaks the resource's rules; `faults` names every place and the mend."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep the faults; the message has one per line."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def parse_spec(spec: Mapping[str, object]) -> IsolationSpec:
    """Read a spec, whatever JSON an older CRD let in; raise InvalidSpec with every fault."""
    try:
        return IsolationSpec.model_validate(
            dict(spec) if isinstance(spec, Mapping) else spec, by_alias=True, by_name=False
        )
    except ValidationError as error:
        raise InvalidSpec(faults_of(error, root="spec")) from error


def faults_of_name(name: str) -> tuple[Fault, ...]:
    """Tell what is wrong with the name of an isolation; nothing, mostly."""
    if not syntax.is_dns_subdomain(name):
        message = "must be lower-case letters, digits, '-' and '.', starting and ending with a letter or digit"
        return (Fault(path="metadata.name", message=message),)
    return tuple(Fault(path="metadata.name", message=text) for _, text in NAME_RULE.breaches(name))
