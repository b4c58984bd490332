"""Bad peers, ports and selectors, to be put in every place that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.tables.shapes import UNKNOWN_FIELD, BadInput, Place, Spec

__all__ = ["PEER_FAULTS", "PORT_FAULTS", "SELECTOR_FAULTS", "PartFault"]

_BLOCK: Spec = {"ipBlock": {"cidr": "203.0.113.0/24"}}

_KEY = "must be a label key: letters, digits"
_KEY_PATTERN = "should match '^([a-z0-9]"
_VALUE = "must be a label value: letters, digits"
_VALUE_PATTERN = "should match '^([A-Za-z0-9]"
_CIDR = "must be a CIDR such as 10.0.0.0/8"
_HOST_BITS = "bits are set behind the prefix: write 10.1.0.0/16"
_EXCEPT = "every except must be a CIDR inside cidr and smaller than it"
_INSIDE = "must lie inside cidr 10.0.0.0/8 and be smaller"
_PORT = "must be a port number, without fraction and quotes, or a port name"
_PORT_NAME_PATTERN = "should match '^[a-z0-9]+(-[a-z0-9]+)*$'"
_PORT_NAME = "a port name has at most 15 lower-case letters, digits and single '-'"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFault:
    """A bad part, to be put in every place that takes it; the paths are relative to the place."""

    title: str
    part: Any
    path: str = ""
    says: str
    server_path: str | None = None
    server_says: str | None = None

    def at(self, place: Place) -> BadInput:
        """Put the part in a place."""
        return BadInput(
            title=f"{self.title}, at {place.path}",
            spec=place.around(self.part),
            path=place.path + self.path,
            says=self.says,
            server_path=None if self.server_path is None else place.path + self.server_path,
            server_says=self.server_says,
        )


def _block(cidr: str, *excepts: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, "except": list(excepts)} if excepts else {"cidr": cidr}}


PEER_FAULTS = (
    PartFault(title="an empty peer", part={}, says="a peer needs a podSelector, a namespaceSelector or an ipBlock"),
    PartFault(title="a peer of null", part={"podSelector": None}, says="a peer needs a podSelector"),
    PartFault(
        title="an ipBlock beside a podSelector",
        part={**_BLOCK, "podSelector": {}},
        says="ipBlock cannot stand beside a selector: make them two peers",
    ),
    PartFault(
        title="an ipBlock beside a namespaceSelector",
        part={**_BLOCK, "namespaceSelector": {}},
        says="ipBlock cannot stand beside a selector: make them two peers",
    ),
    PartFault(
        title="an unknown kind of peer",
        part={"serviceSelector": {}},
        path=".serviceSelector",
        says="is not a field",
        server_says=UNKNOWN_FIELD,
    ),
    PartFault(
        title="an ipBlock without cidr",
        part={"ipBlock": {}},
        path=".ipBlock.cidr",
        says="is required",
        server_says="Required value",
    ),
    *(
        PartFault(title=f"cidr {cidr!r}", part=_block(cidr), path=".ipBlock.cidr", says=_CIDR)
        for cidr in (
            "",
            "everywhere",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/-1",
            "10.0.0.0/255.0.0.0",
            "10.0.0/8",
            "256.0.0.0/8",
            "010.0.0.0/8",
            "10.00.0.0/16",
            "2001:db8::/129",
            "2001:db8::g/64",
            "::ffff:10.0.0.0/104",
            "fe80::%eth0/64",
            " 10.0.0.0/8",
            "10.0.0.0/8\n",
        )
    ),
    PartFault(
        title="an IPv4 cidr with host bits",
        part=_block("10.1.2.3/16"),
        path=".ipBlock.cidr",
        says=_HOST_BITS,
        server_says="bits behind the prefix are zero",
    ),
    PartFault(
        title="an IPv6 cidr with host bits",
        part=_block("2001:db8::1/32"),
        path=".ipBlock.cidr",
        says="write 2001:db8::/32",
        server_says="bits behind the prefix are zero",
    ),
    PartFault(
        title="a cidr of 44 characters",
        part=_block("10.0.0.0/8".rjust(44)),
        path=".ipBlock.cidr",
        says="no longer than 43 characters",
        server_says="may not be more than 43 bytes",
    ),
    *(
        PartFault(
            title=f"except {excluded!r} of 10.0.0.0/8",
            part=_block("10.0.0.0/8", "10.2.0.0/16", excluded),
            path=".ipBlock.except[1]",
            says=says,
            server_path=path,
            server_says=_EXCEPT,
        )
        for excluded, says, path in (
            ("11.0.0.0/16", _INSIDE, ".ipBlock.except"),
            ("10.0.0.0/8", _INSIDE, ".ipBlock.except"),
            ("10.0.0.0/7", _INSIDE, ".ipBlock.except"),
            ("0.0.0.0/0", _INSIDE, ".ipBlock.except"),
            ("2001:db8::/32", _INSIDE, ".ipBlock.except"),
            ("10.1.2.3/16", _HOST_BITS, ".ipBlock.except"),
            ("10.1.0.0", _CIDR, ".ipBlock"),
            ("10.01.0.0/16", _CIDR, ".ipBlock"),
            ("::ffff:10.1.0.0/112", _CIDR, ".ipBlock"),
        )
    ),
    PartFault(
        title="17 excepts",
        part=_block("10.0.0.0/8", *(f"10.{i}.0.0/16" for i in range(17))),
        path=".ipBlock.except",
        says="at most 16 items",
        server_says="must have at most 16 items",
    ),
)

PORT_FAULTS = (
    PartFault(
        title="endPort without port",
        part={"endPort": 90},
        path=".endPort",
        says="endPort needs a numeric port beside it",
    ),
    PartFault(
        title="endPort with a named port",
        part={"port": "http", "endPort": 90},
        path=".endPort",
        says="endPort needs a numeric port beside it",
    ),
    PartFault(
        title="endPort below port",
        part={"port": 90, "endPort": 89},
        path=".endPort",
        says="endPort must not be below port",
    ),
    PartFault(
        title="endPort 0",
        part={"port": 1, "endPort": 0},
        path=".endPort",
        says="must be at least 1",
        server_says="greater than or equal to 1",
    ),
    PartFault(
        title="endPort 65536",
        part={"port": 1, "endPort": 65536},
        path=".endPort",
        says="must be at most 65535",
        server_says="less than or equal to 65535",
    ),
    PartFault(
        title="endPort in quotes",
        part={"port": 1, "endPort": "2"},
        path=".endPort",
        says="must be a whole number, not a string",
        server_says="must be of type integer",
    ),
    PartFault(
        title="endPort with a fraction",
        part={"port": 1, "endPort": 2.5},
        path=".endPort",
        says="must be a whole number",
        server_says="must be of type integer",
    ),
    PartFault(
        title="port 0",
        part={"port": 0},
        path=".port",
        says="must be between 1 and 65535",
        server_says="greater than or equal to 1",
    ),
    PartFault(
        title="port -1",
        part={"port": -1},
        path=".port",
        says="must be between 1 and 65535",
        server_says="greater than or equal to 1",
    ),
    PartFault(
        title="port 65536",
        part={"port": 65536},
        path=".port",
        says="must be between 1 and 65535",
        server_says="less than or equal to 65535",
    ),
    PartFault(
        title="a huge port",
        part={"port": 10**30},
        path=".port",
        says="must be between 1 and 65535",
        server_says="must be of type integer,string",
    ),
    PartFault(
        title="port true",
        part={"port": True},
        path=".port",
        says=_PORT,
        server_says="must be of type integer,string",
    ),
    PartFault(
        title="a port with a fraction",
        part={"port": 80.5},
        path=".port",
        says=_PORT,
        server_says="must be of type integer,string",
    ),
    PartFault(title="port 80.0", part={"port": 80.0}, path=".port", says=_PORT, server_path=""),
    PartFault(
        title="a list of ports",
        part={"port": [80]},
        path=".port",
        says=_PORT,
        server_says="must be of type integer,string",
    ),
    *(
        PartFault(
            title=f"port {name!r}", part={"port": name}, path=".port", says=_PORT_NAME, server_says=_PORT_NAME_PATTERN
        )
        for name in ("", "HTTP", "my_port", "-http", "http-", "ht--tp", "http api", "http\n")
    ),
    *(
        PartFault(title=f"port {name!r}", part={"port": name}, path=".port", says=_PORT_NAME)
        for name in ("80", "8080", "65536", "8-0", "000000000000000")
    ),
    PartFault(
        title="a port name of 16 characters",
        part={"port": "a" * 16},
        path=".port",
        says=_PORT_NAME,
        server_says="may not be more than 15 bytes",
    ),
    PartFault(
        title="an unknown protocol",
        part={"protocol": "ICMP"},
        path=".protocol",
        says="must be 'TCP', 'UDP' or 'SCTP'",
        server_says='supported values: "TCP", "UDP", "SCTP"',
    ),
    PartFault(
        title="a protocol in lower case",
        part={"protocol": "tcp"},
        path=".protocol",
        says="must be 'TCP', 'UDP' or 'SCTP'",
        server_says='supported values: "TCP"',
    ),
    PartFault(
        title="the Service's field targetPort",
        part={"targetPort": 80},
        path=".targetPort",
        says="is not a field",
        server_says=UNKNOWN_FIELD,
    ),
)


def _expression(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}, {"key": "app", **fields}]}


SELECTOR_FAULTS = (
    *(
        PartFault(
            title=f"label key {key[:70]!r}",
            part={"matchLabels": {key: "web"}},
            path=f".matchLabels{shown}",
            says=_KEY,
            server_path=".matchLabels",
        )
        for key, shown in (
            ("", "[]"),
            ("my app", "[my app]"),
            ("-app", "[-app]"),
            ("a/b/c", "[a/b/c]"),
            ("/app", "[/app]"),
            ("Example.com/app", "[Example.com/app]"),
            ("a" * 64, f".{'a' * 64}"),
            ("p" * 254 + "/app", f"[{'p' * 254}/app]"),
        )
    ),
    *(
        PartFault(
            title=f"label value {value!r}",
            part={"matchLabels": {"app": value}},
            path=".matchLabels.app",
            says=_VALUE,
            server_says=_VALUE_PATTERN,
        )
        for value in ("web api", "-web", "web_", "a/b", "wéb", "web\n")
    ),
    PartFault(
        title="a label value of 64 characters",
        part={"matchLabels": {"app": "a" * 64}},
        path=".matchLabels.app",
        says="no longer than 63 characters",
        server_says="may not be more than 63 bytes",
    ),
    PartFault(
        title="a label value that is a number",
        part={"matchLabels": {"app": 1}},
        path=".matchLabels.app",
        says="must be a string, not a number: put it in quotes",
        server_says="must be of type string",
    ),
    PartFault(
        title="a label without a value",
        part={"matchLabels": {"app": None}},
        path=".matchLabels.app",
        says="must be a string, not null",
        server_path=".matchLabels",
        server_says="every key needs a value",
    ),
    PartFault(
        title="17 labels",
        part={"matchLabels": {f"a{i}": "b" for i in range(17)}},
        path=".matchLabels",
        says="at most 16 items",
        server_says="must have at most 16 items",
    ),
    PartFault(
        title="labels as a list",
        part={"matchLabels": ["app"]},
        path=".matchLabels",
        says="must be an object, not a list",
        server_says="must be of type object",
    ),
    PartFault(
        title="an unknown operator",
        part=_expression(operator="Equals"),
        path=".matchExpressions[1].operator",
        says="must be 'In', 'NotIn', 'Exists' or 'DoesNotExist'",
        server_says='supported values: "In"',
    ),
    PartFault(
        title="an expression without operator",
        part=_expression(values=["a"]),
        path=".matchExpressions[1].operator",
        says="is required",
        server_says="Required value",
    ),
    PartFault(
        title="an expression without key",
        part={"matchExpressions": [{"operator": "Exists"}]},
        path=".matchExpressions[0].key",
        says="is required",
        server_says="Required value",
    ),
    *(
        PartFault(
            title=f"{operator} with {values or 'no values'}",
            part=_expression(operator=operator, **values),
            path=".matchExpressions[1].values",
            says="In and NotIn need values",
        )
        for operator, values in (("In", {}), ("NotIn", {"values": []}), ("NotIn", {"values": None}))
    ),
    *(
        PartFault(
            title=f"{operator} with values",
            part=_expression(operator=operator, values=["a"]),
            path=".matchExpressions[1].values",
            says="Exists and DoesNotExist take no values",
        )
        for operator in ("Exists", "DoesNotExist")
    ),
    *(
        PartFault(
            title=f"expression key {key[:70]!r}",
            part={"matchExpressions": [{"key": key, "operator": "Exists"}]},
            path=".matchExpressions[0].key",
            says=_KEY,
            server_says=pattern,
        )
        for key, pattern in (
            ("", _KEY_PATTERN),
            ("my app", _KEY_PATTERN),
            ("a/b/c", _KEY_PATTERN),
            ("/app", _KEY_PATTERN),
            ("a" * 64, "should match '^([^/]{1,253}/)?[^/]{1,63}$'"),
            ("p" * 254 + "/app", "should match '^([^/]{1,253}/)?[^/]{1,63}$'"),
            ("app\n", _KEY_PATTERN),
        )
    ),
    PartFault(
        title="an expression key of 318 characters",
        part={"matchExpressions": [{"key": "p" * 318, "operator": "Exists"}]},
        path=".matchExpressions[0].key",
        says="no longer than 317 characters",
        server_says="may not be more than 317 bytes",
    ),
    PartFault(
        title="a bad value in an expression",
        part=_expression(operator="NotIn", values=["a", "a b"]),
        path=".matchExpressions[1].values[1]",
        says=_VALUE,
        server_says=_VALUE_PATTERN,
    ),
    PartFault(
        title="17 values",
        part=_expression(operator="In", values=[f"a{i}" for i in range(17)]),
        path=".matchExpressions[1].values",
        says="at most 16 items",
        server_says="must have at most 16 items",
    ),
    PartFault(
        title="9 expressions",
        part={"matchExpressions": [{"key": "a", "operator": "Exists"}] * 9},
        path=".matchExpressions",
        says="at most 8 items",
        server_says="must have at most 8 items",
    ),
    PartFault(
        title="a label outside matchLabels",
        part={"app": "web"},
        path=".app",
        says="is not a field",
        server_says=UNKNOWN_FIELD,
    ),
)
