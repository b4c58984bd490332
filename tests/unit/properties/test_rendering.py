"""Any accepted spec renders to policies that are safe on every enforcer and that the API server takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given

from namespace_isolation.desire.render import render
from namespace_isolation.model.canonical import canonical_spec, digest_of
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.resource import AllowEntry, IsolationSpec, Peer
from namespace_isolation.model.verbatim import NetworkPolicySpec
from tests.support.objects import isolation
from tests.support.strategies import specs

Json = dict[str, Any]

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VERBATIM = "Verbatim policy "


def _policies(spec: Json) -> list[Policy]:
    rendering = render(isolation(**spec))
    return [*rendering.policies, *([rendering.dns] if rendering.dns else [])]


def _rules(spec: Json) -> Iterator[Json]:
    for direction in ("ingress", "egress"):
        yield from spec.get(direction, [])


@given(spec=specs())
def test_every_accepted_spec_renders_to_valid_policies(spec: Json) -> None:
    """The wire model, which says what the API server says, takes each; so do the limits of names and labels."""
    policies = _policies(spec)
    assert len({policy.name for policy in policies}) == len(policies)
    for policy in policies:
        NetworkPolicySpec.model_validate(policy.spec)
        assert len(policy.name) <= 253
        assert _SUBDOMAIN.fullmatch(policy.name)
        assert policy.digest == digest_of(canonical_spec(policy.spec))
        assert canonical_spec(policy.spec) == policy.spec


@given(spec=specs())
def test_no_rule_ever_holds_an_empty_list(spec: Json) -> None:
    """To Kubernetes an empty from, to or ports means everyone, everywhere, every port."""
    for policy in _policies(spec):
        for rule in _rules(policy.spec):
            assert all(rule.values()), policy.name


@given(spec=specs())
def test_what_we_generate_has_one_direction_and_named_peers(spec: Json) -> None:
    """Some enforcers let ingress rules of a policy with both directions allow egress; a rule without peers is all."""
    for policy in _policies(spec):
        if policy.description.startswith(_VERBATIM) or ".default-deny-" in policy.name:
            continue
        (direction,) = policy.spec["policyTypes"]
        field, side = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        assert policy.name.rpartition(".")[2].split("-")[-1] == field or f"-{field}-" in policy.name
        assert policy.spec.keys() == {"podSelector", "policyTypes", field}
        assert all(rule[side] for rule in policy.spec[field])


@given(spec=specs())
def test_a_block_with_except_stands_alone(spec: Json) -> None:
    """Some enforcers apply its exceptions to its neighbours in the rule."""
    for policy in _policies(spec):
        if policy.description.startswith(_VERBATIM):
            continue
        for rule in _rules(policy.spec):
            peers = [*rule.get("from", ()), *rule.get("to", ())]
            assert len(peers) == 1 or not any(peer.get("ipBlock", {}).get("except") for peer in peers)


@given(spec=specs())
def test_a_denial_allows_nothing_and_selects_every_pod(spec: Json) -> None:
    """default-deny has no rule, for exactly the directions that are asked for."""
    wanted = set(spec.get("defaultDeny", ["Ingress", "Egress"]))
    denials = [policy for policy in _policies(spec) if ".default-deny-" in policy.name]
    assert {direction for policy in denials for direction in policy.spec["policyTypes"]} == wanted
    assert len(denials) == bool(wanted)
    assert all(policy.spec.keys() == {"podSelector", "policyTypes"} for policy in denials)
    assert all(policy.spec["podSelector"] == {} for policy in denials)


def _local(peers: tuple[Peer, ...] | None) -> bool:
    return peers is None or all(peer.is_local for peer in peers)


def _accepted(spec: Json) -> IsolationSpec:
    accepted = isolation(**spec).spec
    assert accepted is not None
    return accepted


@given(spec=specs())
def test_every_entry_yields_a_policy_on_each_local_side(spec: Json) -> None:
    """No flow is allowed on one side and forgotten on the other, and no entry yields nothing."""
    names = {policy.name for policy in _policies(spec)}

    def there(entry: AllowEntry, way: str) -> bool:
        stem = f"team.allow-{entry.name}-{way}"
        return any(re.fullmatch(rf"{re.escape(stem)}(-[0-9a-f]{{8}})?", name) for name in names)

    for entry in _accepted(spec).allow:
        assert there(entry, "ingress") == _local(entry.to)
        assert there(entry, "egress") == _local(entry.from_)
        assert _local(entry.to) or _local(entry.from_)
