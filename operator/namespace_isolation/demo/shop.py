"""The shop: its namespaces as they are, and the policies that its isolation must bring, written down independently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from namespace_isolation.demo.files import SHOP, shown
from namespace_isolation.demo.stage import NAMESPACES, POLICIES, Stage
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.model.names import PROTECTED_NAMESPACES

__all__ = ["EXPECTED", "ISOLATION", "NEWCOMER", "SHOP_NAMESPACES", "TENANT", "open_shop", "show_namespaces"]

ISOLATION: Final = "payments"
TENANT: Final = "payments"
NEWCOMER: Final = "payments-eu"
SHOP_NAMESPACES: Final = ("payments", "monitoring", "catalog")

EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "default-deny-all": ("in + out", "every pod: nothing in, nothing out"),
    "allow-dns-egress": ("out", "every pod → kube-system/k8s-app=kube-dns TCP 53, UDP 53"),
    "allow-frontend-to-backend-egress": ("out", "app=frontend → app=backend TCP 8080"),
    "allow-frontend-to-backend-ingress": ("in", "app=backend ← app=frontend TCP 8080"),
    "allow-backend-to-database-egress": ("out", "app=backend → app=database TCP 5432"),
    "allow-backend-to-database-ingress": ("in", "app=database ← app=backend TCP 5432"),
    "allow-prometheus-ingress": ("in", "every pod ← monitoring/app=prometheus TCP 9090"),
    "allow-payment-provider-egress": (
        "out",
        "app=backend → 203.0.113.0/24 except 203.0.113.128/25 TCP 443",
    ),
}
"""What manifests/samples/payments.yaml yields, by name without `payments.`: directions and rule in words."""


async def open_shop(stage: Stage) -> None:
    """Create the namespaces of the shop with their pods; nothing isolates them yet."""
    stage.narrator.chapter("A shop, its monitoring and another tenant: every pod may reach every pod")
    await stage.kubectl.run("apply", "-f", shown(SHOP), quiet=True)
    counts = await show_namespaces(stage)
    if counts != dict.fromkeys(SHOP_NAMESPACES, 0):
        raise Unseen("three namespaces without a NetworkPolicy", [f"policies by namespace: {counts}"])


async def show_namespaces(stage: Stage) -> dict[str, int]:
    """Show the namespaces of the tenants with their pods and policies, and count the policies."""
    policies: dict[str, list[str]] = defaultdict(list)
    for policy in await stage.objects(POLICIES):
        policies[policy["metadata"]["namespace"]].append(policy["metadata"]["name"])
    pods: dict[str, list[str]] = defaultdict(list)
    for pod in await stage.objects("/api/v1/pods"):
        pods[pod["metadata"]["namespace"]].append(f"app={pod['metadata']['labels']['app']}")
    shown_ = sorted(filter(_is_tenant, map(_name, await stage.objects(NAMESPACES))), key=_shop_first)
    rows = [(name, " ".join(pods[name]) or "-", _in_words(policies[name])) for name in shown_]
    stage.narrator.table(("NAMESPACE", "PODS", "NETWORK POLICIES"), rows)
    return {name: len(policies[name]) for name in shown_}


def _in_words(policies: list[str]) -> str:
    """Say what policies a namespace has."""
    if not policies:
        return "none"
    kinds = {name.removeprefix(f"{ISOLATION}.") for name in policies}
    base = [kind for kind in ("default-deny-all", "allow-dns-egress") if kind in kinds]
    return f"{len(policies)}: {', '.join(base)}, {len(policies) - len(base)} for its flows"


def _is_tenant(namespace: str) -> bool:
    return namespace not in {"default", "nsiso-system", *PROTECTED_NAMESPACES}


def _shop_first(namespace: str) -> tuple[bool, str]:
    return not namespace.startswith(TENANT), namespace


def _name(document: dict[str, Any]) -> str:
    return str(document["metadata"]["name"])
