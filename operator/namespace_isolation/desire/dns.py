"""allow-dns-egress: under denied egress every pod may still resolve names."""

from __future__ import annotations

from typing import Any, Final

from namespace_isolation.desire.rules import direction_spec
from namespace_isolation.model.names import NAMESPACE_NAME_LABEL, dns_name
from namespace_isolation.model.policy import Owner, Policy, policy_from
from namespace_isolation.model.resource import Dns, wire

__all__ = ["dns_policy"]

Json = dict[str, Any]

_CLUSTER_DNS: Final[Json] = {
    "namespaceSelector": {"matchLabels": {NAMESPACE_NAME_LABEL: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
_DNS_PORTS: Final[tuple[Json, ...]] = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


def dns_policy(isolation: str, dns: Dns, owner: Owner | None) -> Policy | None:
    """Render allow-dns-egress; None where the isolation turns it off."""
    if not dns.enabled:
        return None
    peers = [wire(peer) for peer in dns.to] or [_CLUSTER_DNS]
    ports = [wire(port) for port in dns.ports] or list(_DNS_PORTS)
    return policy_from(
        name=dns_name(isolation),
        isolation=isolation,
        description="Lets every pod of this namespace resolve names at the cluster's DNS servers.",
        spec=direction_spec("Egress", {}, peers, ports),
        owner=owner,
    )
