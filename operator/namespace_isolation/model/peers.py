"""The peers and ports of a NetworkPolicy, as strict as the API server is with the native ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, PlainValidator, StrictInt, StrictStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from namespace_isolation.model import limits, syntax
from namespace_isolation.model.selectors import LabelSelector
from namespace_isolation.model.wire import RULE, Breach, Rule, Wire, rule

__all__ = [
    "CIDR",
    "IPBlock",
    "Peer",
    "Peers",
    "Port",
    "Ports",
    "Protocol",
    "not_empty",
]

Protocol = Literal["TCP", "UDP", "SCTP"]

_CIDR_MESSAGE: Final = (
    "must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32: address, slash and prefix length, without leading zeros, "
    "and IPv4 addresses not written as IPv6"
)


def _cidr_breaches(text: str) -> Iterator[Breach]:
    network = syntax.read_cidr(text)
    if network is None:
        yield (), _CIDR_MESSAGE
    elif syntax.has_host_bits(text):
        yield (), f"bits are set behind the prefix: write {network}"


def _except_breaches(block: IPBlock) -> Iterator[Breach]:
    outer = syntax.read_cidr(block.cidr)
    for index, text in enumerate(block.except_):
        inner = syntax.read_cidr(text)
        if inner is None or outer is None:
            yield ("except", index), _CIDR_MESSAGE
        elif syntax.has_host_bits(text):
            yield ("except", index), f"bits are set behind the prefix: write {inner}"
        elif not syntax.is_strictly_inside(inner, outer):
            yield ("except", index), f"must lie inside cidr {outer} and be smaller: correct it, or leave it out"


CIDR = Annotated[StrictStr, Field(max_length=limits.CIDR_LENGTH)]


class IPBlock(Wire):
    """Addresses outside the cluster, by CIDR."""

    cidr: Annotated[
        CIDR,
        Rule(
            cel="[cidr(self)].all(c, c == c.masked())",
            message=f"{_CIDR_MESSAGE}; bits behind the prefix are zero",
            breaches=_cidr_breaches,
        ),
    ] = Field(description="The addresses, such as 203.0.113.0/24 or 2001:db8::/32; bits behind the prefix are zero.")
    except_: Annotated[tuple[CIDR, ...], Field(max_length=limits.EXCEPTS)] = Field(
        default=(), description="Parts of cidr that are left out; each lies inside cidr and is smaller."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        # containsIP and not containsCIDR, which knows no smaller block inside in Kubernetes 1.31.
        Rule(
            cel=(
                "!has(self.except) || !isCIDR(self.cidr) || [cidr(self.cidr)].all(c, self.except.all(t, "
                "[cidr(t)].all(e, e == e.masked() && c.containsIP(e.ip()) && c.prefixLength() < e.prefixLength())))"
            ),
            message=(
                "every except must be a CIDR inside cidr and smaller than it, with no bits set behind its prefix: "
                "correct it, or leave it out"
            ),
            field_path=".except",
            breaches=_except_breaches,
        ),
    )


class Peer(Wire):
    """Who is at the other end: pods of this namespace, pods of other namespaces, or addresses outside the cluster."""

    pod_selector: LabelSelector | None = Field(
        default=None,
        description=(
            "Pods by label: of this namespace, or of the namespaces that namespaceSelector selects. "
            "An empty selector ({}) selects all of them."
        ),
    )
    namespace_selector: LabelSelector | None = Field(
        default=None,
        description=(
            "Namespaces by label; every namespace carries kubernetes.io/metadata.name. With podSelector beside it, "
            "both must hold; alone, all pods of these namespaces. An empty selector ({}) selects every namespace."
        ),
    )
    ip_block: IPBlock | None = Field(
        default=None, description="Addresses outside the cluster; cannot stand beside a selector."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        rule(
            cel="has(self.podSelector) || has(self.namespaceSelector) || has(self.ipBlock)",
            message=(
                "a peer needs a podSelector, a namespaceSelector or an ipBlock: name one, such as podSelector: {} "
                "for every pod of the namespace"
            ),
            holds=lambda self: self.pod_selector is not None or not self.is_local,
        ),
        rule(
            cel="!has(self.ipBlock) || !(has(self.podSelector) || has(self.namespaceSelector))",
            message="ipBlock cannot stand beside a selector: make them two peers",
            holds=lambda self: self.ip_block is None or (self.pod_selector is None and self.namespace_selector is None),
        ),
    )

    @property
    def is_local(self) -> bool:
        """Tell whether the peer is pods of the policy's own namespace."""
        return self.namespace_selector is None and self.ip_block is None


def _port(value: object) -> int | str:
    """Take a number from 1 to 65535, or a port name."""
    if isinstance(value, str):
        if not syntax.is_port_name(value):
            raise PydanticCustomError(RULE, _PORT_NAME_MESSAGE)
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError(RULE, _PORT_MESSAGE)
    if not 1 <= value <= limits.PORT_MAX:
        raise PydanticCustomError(RULE, f"must be between 1 and {limits.PORT_MAX}")
    return value


_PORT_MESSAGE: Final = "must be a port number, without fraction and quotes, or a port name"
_PORT_NAME_MESSAGE: Final = (
    "a port name has at most 15 lower-case letters, digits and single '-', at least one letter, and starts and ends "
    "with a letter or digit: correct it, and write numbers without quotes"
)
_PORT_SCHEMA: Final[dict[str, Any]] = {
    "x-kubernetes-int-or-string": True,
    "minimum": 1,
    "maximum": limits.PORT_MAX,
    "maxLength": limits.PORT_NAME_LENGTH,
    # No CEL matches: Kubernetes 1.31 takes a string that may be a number for one without a maximum, and refuses the
    # CRD. That a name has a letter is left to _HAS_LETTER, which says it in words.
    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
}
_HAS_LETTER: Final = (
    f"(self.port >= 'a' || {[*range(1, limits.PORT_NAME_LENGTH)]}"
    ".exists(i, i < size(self.port) && self.port.charAt(i) >= 'a'))"
)
_NUMERIC: Final = "has(self.port) && type(self.port) == int"


class Port(Wire):
    """A port of the pods, not of the Service before them."""

    protocol: Protocol = Field(default="TCP", description="TCP (default), UDP or SCTP.")
    port: Annotated[int | str, PlainValidator(_port), WithJsonSchema(_PORT_SCHEMA)] | None = Field(
        default=None,
        description=(
            "The port's number without quotes, or the name that the pods' containers give it, which has a letter. "
            "Left out: every port of the protocol."
        ),
    )
    end_port: Annotated[StrictInt, Field(ge=1, le=limits.PORT_MAX)] | None = Field(
        default=None, description="The last port of a range that starts at port, which must be a number."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        # To the schema 80.0 is an integer, to CEL it is not.
        Rule(
            cel="!has(self.port) || type(self.port) == int || type(self.port) == string",
            message=_PORT_MESSAGE,
            field_path=".port",
        ),
        Rule(
            cel=f"!has(self.port) || type(self.port) != string || {_HAS_LETTER}",
            message=_PORT_NAME_MESSAGE,
            field_path=".port",
        ),
        rule(
            cel=f"!has(self.endPort) || ({_NUMERIC})",
            message="endPort needs a numeric port beside it: name the first port of the range, or leave endPort out",
            field_path=".endPort",
            holds=lambda self: self.end_port is None or isinstance(self.port, int),
        ),
        rule(
            cel=f"!has(self.endPort) || !({_NUMERIC}) || int(self.port) <= self.endPort",
            message="endPort must not be below port: exchange the two, or leave endPort out",
            field_path=".endPort",
            holds=lambda self: self.end_port is None or not isinstance(self.port, int) or self.port <= self.end_port,
        ),
    )


def not_empty(what: str) -> Rule:
    """Refuse an explicit empty list, which to Kubernetes means everyone or everything."""
    return rule(
        cel="size(self) > 0",
        message=f"an empty list would mean {what}: leave the field out if that is meant, or list at least one",
        holds=bool,
    )


Peers = Annotated[tuple[Peer, ...], Field(max_length=limits.PEERS)]
Ports = Annotated[tuple[Port, ...], Field(max_length=limits.PORTS)]
