"""Whether two flows can have a connection in common; when in doubt, yes."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.compare.flows import Flow, flows_of, may_overlap
from namespace_isolation.model.canonical import canonical_spec

Json = dict[str, Any]

WEB: Json = {"matchLabels": {"app": "web"}}
API: Json = {"matchLabels": {"app": "api"}}
TIER: Json = {"matchLabels": {"tier": "1"}}


def flow(
    *, direction: str = "Ingress", pods: Json | None = None, peer: Json | None = None, port: Json | None = None
) -> Flow:
    """Make a flow of everything that is not named."""
    return Flow(direction, pods or {}, peer, port)


def tcp(port: int | str, end: int | None = None) -> Json:
    """Write a TCP port or range."""
    return {"protocol": "TCP", "port": port} | ({"endPort": end} if end else {})


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(flow(), flow(), True, id="everything overlaps itself"),
        pytest.param(flow(), flow(direction="Egress"), False, id="directions are apart"),
        pytest.param(flow(pods=WEB), flow(pods=API), False, id="one label, two values"),
        pytest.param(flow(pods=WEB), flow(pods=TIER), True, id="a pod can carry both labels"),
        pytest.param(flow(peer={"podSelector": WEB}), flow(peer={"podSelector": API}), False, id="other local pods"),
        pytest.param(flow(peer={"podSelector": WEB}), flow(), True, id="everyone holds any peer"),
        pytest.param(
            flow(peer={"namespaceSelector": WEB, "podSelector": API}),
            flow(peer={"namespaceSelector": WEB, "podSelector": WEB}),
            False,
            id="same namespaces, other pods",
        ),
        pytest.param(
            flow(peer={"ipBlock": {"cidr": "10.0.0.0/8"}}),
            flow(peer={"ipBlock": {"cidr": "10.1.0.0/16"}}),
            True,
            id="a block inside a block",
        ),
        pytest.param(
            flow(peer={"ipBlock": {"cidr": "10.0.0.0/8"}}),
            flow(peer={"ipBlock": {"cidr": "11.0.0.0/8"}}),
            False,
            id="blocks beside each other",
        ),
        pytest.param(
            flow(peer={"ipBlock": {"cidr": "10.0.0.0/8"}}),
            flow(peer={"ipBlock": {"cidr": "2001:db8::/32"}}),
            False,
            id="two address families",
        ),
        pytest.param(
            flow(peer={"ipBlock": {"cidr": "10.0.0.0/8"}}),
            flow(peer={"podSelector": WEB}),
            True,
            id="a block may hold the addresses of pods",
        ),
        pytest.param(flow(port=tcp(80)), flow(port=tcp(81)), False, id="two ports"),
        pytest.param(flow(port=tcp(80, 90)), flow(port=tcp(85)), True, id="a port inside a range"),
        pytest.param(flow(port=tcp(80)), flow(port=tcp("http")), True, id="a name may be any number"),
        pytest.param(flow(port=tcp(53)), flow(port={"protocol": "UDP", "port": 53}), False, id="two protocols"),
        pytest.param(flow(port={"protocol": "TCP"}), flow(port=tcp(9)), True, id="every port of the protocol"),
    ],
)
def test_overlap(one: Flow, other: Flow, expected: bool) -> None:  # noqa: FBT001 - a table column
    """Overlap is symmetric and decided by direction, pods, peer and port."""
    assert may_overlap(one, other) is expected
    assert may_overlap(other, one) is expected


def test_a_spec_is_taken_apart_into_every_combination() -> None:
    """Two peers on two ports are four flows; a rule without peers is everyone."""
    spec = canonical_spec(
        {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": WEB}, {"podSelector": API}], "ports": [{"port": 1}, {"port": 2}]}],
            "egress": [{}],
        }
    )
    flows = list(flows_of(spec).values())
    assert len(flows) == 5
    assert [each for each in flows if each.direction == "Egress"] == [Flow("Egress", {}, None, None)]
