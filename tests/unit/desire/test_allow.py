"""The allow-list beyond the golden pairs: which sides yield policies, what they are called, and what stays stable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.desire import allow
from namespace_isolation.desire.allow import allow_policies
from namespace_isolation.desire.rules import direction_spec
from namespace_isolation.model.canonical import digest_of
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.resource import AllowEntry

Json = dict[str, Any]

_LOCAL = {"podSelector": {"matchLabels": {"app": "web"}}}
_OTHER = {"podSelector": {"matchLabels": {"app": "api"}}}
_REMOTE: Json = {"namespaceSelector": {}}
_BLOCK = {"ipBlock": {"cidr": "10.0.0.0/8"}}


def _rendered(**fields: Any) -> list[Policy]:  # noqa: ANN401 - any JSON
    entry = AllowEntry.model_validate({"name": "flow", **{key.rstrip("_"): value for key, value in fields.items()}})
    return list(allow_policies("team", entry, None))


def _names(**fields: Any) -> set[str]:  # noqa: ANN401 - any JSON
    return {policy.name.removeprefix("team.allow-flow-") for policy in _rendered(**fields)}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"from": [_LOCAL], "to": [_OTHER]}, {"ingress", "egress"}),
        ({"from": [_LOCAL]}, {"ingress", "egress"}),
        ({"to": [_LOCAL]}, {"ingress", "egress"}),
        ({"from": [_REMOTE], "to": [_LOCAL]}, {"ingress"}),
        ({"from": [_BLOCK], "to": [_LOCAL]}, {"ingress"}),
        ({"from": [_REMOTE]}, {"ingress"}),
        ({"from": [_LOCAL], "to": [_REMOTE]}, {"egress"}),
        ({"from": [_LOCAL], "to": [_BLOCK]}, {"egress"}),
        ({"to": [_BLOCK]}, {"egress"}),
        ({"from": [{**_REMOTE, **_LOCAL}], "to": [_LOCAL]}, {"ingress"}),
    ],
    ids=str,
)
def test_each_local_side_yields_a_policy(fields: Json, names: set[str]) -> None:
    """Local `to` yields ingress, local `from` egress; a side left out is local."""
    assert _names(**fields) == names


def test_a_side_with_several_peers_keeps_their_names_in_any_order() -> None:
    """Each name ends in a hash of its own selector, so that reordering renames nothing."""
    assert _names(from_=[_LOCAL, _OTHER], to=[_BLOCK]) == _names(from_=[_OTHER, _LOCAL, _LOCAL], to=[_BLOCK])
    assert all(len(name) == len("egress-") + 8 for name in _names(from_=[_LOCAL, _OTHER], to=[_BLOCK]))


def test_the_hash_of_a_selector_does_not_depend_on_its_neighbours() -> None:
    """A third peer adds a policy and renames none."""
    two = _names(from_=[_LOCAL, _OTHER], to=[_BLOCK])
    three = _names(from_=[_LOCAL, {"podSelector": {}}, _OTHER], to=[_BLOCK])
    assert two < three
    assert len(three) == 3


def test_two_selectors_that_share_their_digits_get_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither policy may overwrite the other, however unlikely that is."""
    monkeypatch.setattr(allow, "digest_of", lambda value: "c0ffee00" if isinstance(value, dict) else digest_of(value))
    names = _names(from_=[_LOCAL, _OTHER, {"podSelector": {}}], to=[_BLOCK])
    assert len(names) == 3
    assert "egress-c0ffee00" in names


def test_the_description_is_one_of_ours_and_then_the_users() -> None:
    """Whoever reads the annotation learns what the policy does and why it is there."""
    ingress, egress = _rendered(from_=[_LOCAL], to=[_OTHER], description="The shop front calls the API.")
    assert ingress.description == (
        "Lets the pods it selects accept the connections of allow-list entry flow. The shop front calls the API."
    )
    assert egress.description.startswith("Lets the pods it selects open the connections")
    assert _rendered(from_=[_LOCAL], description="")[0].description.endswith("entry flow.")


_EXCEPT = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}


def test_a_block_with_except_stands_alone_in_its_rule() -> None:
    """One block's exceptions never stand beside another peer, and each rule has all ports."""
    ports: list[Json] = [{"protocol": "TCP", "port": 443}]
    spec = direction_spec("Egress", {}, [_EXCEPT, _REMOTE, _BLOCK], ports)
    assert spec["egress"] == [{"to": [_REMOTE, _BLOCK], "ports": ports}, {"to": [_EXCEPT], "ports": ports}]
    assert direction_spec("Ingress", {}, [_EXCEPT], [])["ingress"] == [{"from": [_EXCEPT]}]


def test_a_rule_without_peers_is_an_error_not_everyone() -> None:
    """To Kubernetes an empty `from` or `to` means everyone: such a rule is never made."""
    with pytest.raises(ValueError, match="everyone"):
        direction_spec("Ingress", {}, [], [])


_sides = st.lists(st.sampled_from([_LOCAL, _OTHER, {"podSelector": {}}]), min_size=1, max_size=3)


@given(sources=_sides, destinations=_sides)
def test_a_flow_inside_the_namespace_is_open_on_both_sides(sources: list[Json], destinations: list[Json]) -> None:
    """For every pair there is an egress policy of the source and an ingress policy of the destination."""
    policies = _rendered(from_=sources, to=destinations)
    for source in sources:
        for destination in destinations:
            assert any(
                policy.spec["podSelector"] == source["podSelector"] and destination in policy.spec["egress"][0]["to"]
                for policy in policies
                if "egress" in policy.spec
            )
            assert any(
                policy.spec["podSelector"] == destination["podSelector"] and source in policy.spec["ingress"][0]["from"]
                for policy in policies
                if "ingress" in policy.spec
            )
