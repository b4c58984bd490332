"""Specs around the part that a case is about: the same peer, port or selector in every place that takes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

__all__ = [
    "PEER_PLACES",
    "PORT_PLACES",
    "SELECTOR_PLACES",
    "UNKNOWN_FIELD",
    "BadInput",
    "Place",
    "Spec",
    "entry",
    "flow",
    "spec",
    "verbatim",
]

Spec = dict[str, Any]


UNKNOWN_FIELD = "unknown field"
"""What the API server says of a field that it does not know, before it looks at anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadInput:
    """A spec with one fault; `server_*` where the API server puts it at another place or in other words."""

    title: str
    spec: Any
    path: str
    says: str
    server_path: str | None = None
    server_says: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place for a part: the spec around it, and the path to it."""

    path: str
    around: Callable[[Any], Spec]


def spec(**fields: Any) -> Spec:  # noqa: ANN401 - any JSON
    """Write a spec of one namespace, and what else is given."""
    return {"namespaces": {"names": ["payments"]}, **fields}


def entry(name: str = "web-to-api", **fields: Any) -> Spec:  # noqa: ANN401
    """Write an allow entry; `from_` stands for from."""
    return {"name": name, **{key.rstrip("_"): value for key, value in fields.items()}}


def flow(**fields: Any) -> Spec:  # noqa: ANN401
    """Write a spec of one allow entry."""
    return spec(allow=[entry(**fields)])


def verbatim(name: str = "legacy", /, **fields: Any) -> Spec:  # noqa: ANN401
    """Write a spec of one verbatim policy with these fields in its spec."""
    return spec(policies=[{"name": name, "spec": {"podSelector": {}, **fields}}])


def _inside(place: Place, field: str, selector: object) -> Spec:
    return place.around({field: selector})


PEER_PLACES = (
    Place(path="spec.allow[0].from[0]", around=lambda peer: flow(from_=[peer])),
    Place(path="spec.allow[0].to[0]", around=lambda peer: flow(to=[peer])),
    Place(path="spec.dns.to[0]", around=lambda peer: spec(dns={"to": [peer]})),
    Place(
        path="spec.policies[0].spec.ingress[0].from[0]",
        around=lambda peer: verbatim(ingress=[{"from": [peer]}]),
    ),
    Place(
        path="spec.policies[0].spec.egress[0].to[0]",
        around=lambda peer: verbatim(egress=[{"to": [peer]}]),
    ),
)
PORT_PLACES = (
    Place(path="spec.allow[0].ports[0]", around=lambda port: flow(from_=[{"podSelector": {}}], ports=[port])),
    Place(path="spec.dns.ports[0]", around=lambda port: spec(dns={"ports": [port]})),
    Place(
        path="spec.policies[0].spec.ingress[0].ports[0]",
        around=lambda port: verbatim(ingress=[{"ports": [port]}]),
    ),
    Place(
        path="spec.policies[0].spec.egress[0].ports[0]",
        around=lambda port: verbatim(egress=[{"ports": [port]}]),
    ),
)
SELECTOR_PLACES = (
    Place(
        path="spec.namespaces.selector",
        around=lambda selector: {"namespaces": {"selector": selector}},
    ),
    Place(
        path="spec.namespaces.exclude.selector",
        around=lambda selector: {"namespaces": {"names": ["*"], "exclude": {"selector": selector}}},
    ),
    Place(
        path="spec.policies[0].spec.podSelector",
        around=lambda selector: verbatim(podSelector=selector),
    ),
    *(
        Place(
            path=f"{place.path}.{field}",
            around=partial(_inside, place, field),
        )
        for place in PEER_PLACES
        for field in ("podSelector", "namespaceSelector")
    ),
)
