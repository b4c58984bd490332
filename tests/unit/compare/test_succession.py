"""Updates in place never cut a flow that was allowed before and is allowed after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.flows import flows_of
from namespace_isolation.compare.succession import in_succession
from namespace_isolation.desire.render import render
from namespace_isolation.model.canonical import canonical_spec, digest_of, dumps
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.plan import Create, Delete, Plan, Update, Why
from namespace_isolation.model.policy import rendering_hash
from namespace_isolation.model.view import View
from namespace_isolation.observe.isolations import read_isolation
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import spec_texts

Json = dict[str, Any]
Objects = dict[str, Json]

SHOP = Namespace(name="shop", uid="n", labels={}, ending=False)


def isolation(spec: Json, generation: int) -> Isolation:
    """Read an isolation of the namespace shop."""
    metadata = {"name": "team", "uid": "u", "generation": generation, "resourceVersion": str(generation)}
    found = read_isolation({"metadata": metadata, "spec": {"namespaces": {"names": ["shop"]}, **spec}})
    assert not found.faults
    return found


def stored(manifest: Json) -> Json:
    """Give a manifest what the API server adds."""
    return {
        **manifest,
        "metadata": {**manifest["metadata"], "uid": manifest["metadata"]["name"], "resourceVersion": "1"},
    }


def all_of(wanted: Isolation) -> Objects:
    """Give every policy of an isolation as the API server has it."""
    return {policy.name: stored(policy.manifest("shop")) for policy in render(wanted).policies}


def plan_from(wanted: Isolation, objects: Objects) -> Plan:
    """Plan the way from the objects to what the isolation wants now."""
    desired = {policy.name: policy for policy in render(wanted).policies}
    live = {name: read_policy(document) for name, document in objects.items()}
    view = View(
        name="shop", namespace=SHOP, governing=(wanted,), isolations={"team": wanted}, live=live, lost=frozenset()
    )
    return in_succession(compare(desired, view), spec_texts(objects))


def states(plan: Plan, objects: Objects) -> list[Objects]:
    """Apply a plan step by step and give what is there after each; inside a phase, in the written order."""
    now, seen = dict(objects), []
    for step in plan.steps():
        match step:
            case Create() | Update():
                now[step.name] = stored(step.policy.manifest("shop"))
            case Delete():
                del now[step.name]
        seen.append(dict(now))
    return seen


def flows(objects: Mapping[str, Json]) -> set[str]:
    """Name every flow that some policy lets through."""
    return {text for document in objects.values() for text in flows_of(read_spec(document))}


def read_spec(document: Json) -> Json:
    """Give the spec as rendered: it is canonical already."""
    spec: Json = document["spec"]
    return spec


def entry(name: str, source: str, *ports: int) -> Json:
    """Write an entry from one application to the API."""
    return {
        "name": name,
        "from": [{"podSelector": {"matchLabels": {"app": source}}}],
        "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
        "ports": [{"port": port} for port in ports],
    }


def test_a_flow_moves_into_an_entry_before_it_leaves_the_other() -> None:
    """The growing policy is written first, whatever the names say."""
    before = isolation({"allow": [entry("a", "web", 80, 81), entry("b", "web", 90)]}, 1)
    after = isolation({"allow": [entry("a", "web", 80), entry("b", "web", 90, 81)]}, 2)
    updates = [step.name for step in plan_from(after, all_of(before)).steps() if isinstance(step, Update)]
    assert updates.index("team.allow-b-ingress") < updates.index("team.allow-a-ingress")
    assert updates.index("team.allow-b-egress") < updates.index("team.allow-a-egress")


def test_two_entries_that_swap_are_bridged() -> None:
    """Where two updates wait for each other, the old flows are kept in a bridge until both are written."""
    before = isolation({"allow": [entry("a", "web", 80), entry("b", "web", 90)]}, 1)
    after = isolation({"allow": [entry("a", "web", 90), entry("b", "web", 80)]}, 2)
    objects = all_of(before)
    plan = plan_from(after, objects)
    assert {step.why for step in plan.phases[0]} == {Why.BRIDGE}
    assert all(flows(objects) <= flows(state) for state in states(plan, objects))
    end = states(plan, objects)[-1]
    again = plan_from(after, end)
    assert [type(step) for step in again.steps()] == [Delete, Delete]
    assert {step.why for step in again.steps()} == {Why.UNWANTED}


def test_an_entry_that_moves_to_other_pods_while_a_denial_comes_is_bridged() -> None:
    """Before the denial its old pods would be open, after it the new ones would be cut: the bridge covers both."""
    moved = {**entry("a", "web", 80), "to": [{"podSelector": {"matchLabels": {"app": "other"}}}]}
    before = isolation({"defaultDeny": [], "allow": [entry("a", "web", 80)]}, 1)
    after = isolation({"defaultDeny": ["Ingress"], "allow": [moved]}, 2)
    objects = all_of(before)
    plan = plan_from(after, objects)
    kinds = [(step.name, type(step)) for step in plan.steps() if "ingress" in step.name or step.why is Why.BRIDGE]
    assert kinds[0][1] is Create
    assert kinds[1:] == [("team.allow-a-ingress", Update), ("team.default-deny-ingress", Create)]


def test_a_bridge_that_an_interrupted_edit_left_is_kept() -> None:
    """It is neither built again beside its own deletion, nor deleted before the edit is through."""
    before = isolation({"allow": [entry("a", "web", 80), entry("b", "web", 90)]}, 1)
    after = isolation({"allow": [entry("a", "web", 90), entry("b", "web", 80)]}, 2)
    objects = all_of(before)
    left = states(plan_from(after, objects), objects)[1]
    plan = plan_from(after, left)
    assert not [step for step in plan.steps() if not isinstance(step, Update)]
    end = states(plan, left)[-1]
    assert [step.why for step in plan_from(after, end).steps()] == [Why.UNWANTED] * 2


def test_what_older_api_servers_store_as_an_ip_block_stops_nobody() -> None:
    """Host bits and what is no address at all count as overlapping with everything."""
    before = isolation({"allow": [entry("a", "web", 80), entry("b", "web", 90)]}, 1)
    after = isolation({"allow": [entry("a", "web", 90), entry("b", "web", 80)]}, 2)
    objects = all_of(before)
    for cidr in ("10.0.0.1/0", "010.0.0.0/8"):
        for document in objects.values():
            document["spec"] = {**document["spec"], "egress": [{"to": [{"ipBlock": {"cidr": cidr}}]}]}
            digest = digest_of(canonical_spec(document["spec"]))
            document["metadata"]["annotations"] = {
                **document["metadata"]["annotations"],
                "nsiso.dev/hash": rendering_hash(digest),
            }
        assert list(plan_from(after, objects).steps())


def test_entries_that_have_nothing_in_common_are_not_bridged() -> None:
    """Two ports of two applications may change together without any extra write."""
    spec = [entry("a", "web", 80), {**entry("b", "web", 90), "to": [{"podSelector": {"matchLabels": {"app": "x"}}}]}]
    before = isolation({"allow": spec}, 1)
    after = isolation({"allow": [{**each, "ports": [{"port": 443}]} for each in spec]}, 2)
    plan = plan_from(after, all_of(before))
    assert len(list(plan.steps())) == 4
    assert all(isinstance(step, Update) for step in plan.steps())


_SELECTORS: list[Json] = [
    {},
    {"matchLabels": {"app": "web"}},
    {"matchLabels": {"app": "api"}},
    {"matchLabels": {"tier": "1"}},
]
_TEXTS = [dumps(selector) for selector in _SELECTORS]
_selectors = st.sampled_from(_SELECTORS)
_locals = st.lists(_selectors.map(lambda each: {"podSelector": each}), min_size=1, max_size=2)
_remotes = st.sampled_from(
    [
        [{"namespaceSelector": {}}],
        [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "10.1.0.0/16", "except": ["10.1.1.0/24"]}}],
        [{"namespaceSelector": {"matchLabels": {"team": "x"}}, "podSelector": {"matchLabels": {"app": "web"}}}],
    ]
)
_ports = st.lists(
    st.sampled_from([{"port": 80}, {"port": 80, "endPort": 90}, {"port": "http"}]), min_size=1, max_size=2
)
_entries = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c"]), "to": _locals},
    optional={"from": st.one_of(_locals, _remotes), "ports": _ports},
)
_specs = st.fixed_dictionaries(
    {"allow": st.lists(_entries, max_size=3, unique_by=lambda each: each["name"])},
    optional={"defaultDeny": st.sampled_from([[], ["Ingress"], ["Egress"], ["Ingress", "Egress"]])},
)


@given(before=_specs, after=_specs)
def test_no_edit_ever_cuts_a_flow_that_stays_or_opens_what_stays_denied(before: Json, after: Json) -> None:
    """At every moment, what was and will be allowed is allowed, and what was and will be denied is denied."""
    old, new = isolation(before, 1), isolation(after, 2)
    objects, end = all_of(old), all_of(new)
    stays = flows(objects) & flows(end)
    denied = denies(objects) & denies(end)
    plan = plan_from(new, objects)
    history = states(plan, objects)
    for state in history:
        assert stays <= flows(state)
        assert denied <= denies(state)
    rest = plan_from(new, history[-1] if history else objects)
    assert all(isinstance(step, Delete) for step in rest.steps())
    final = states(rest, history[-1] if history else objects)
    for state in final:
        assert stays <= flows(state)
        assert denied <= denies(state)
    assert (final or history or [objects])[-1].keys() == end.keys()


def denies(objects: Mapping[str, Json]) -> set[tuple[str, str]]:
    """Name the directions for which pods are isolated, for each selector that the strategies use."""
    specs = [document["spec"] for document in objects.values()]
    return {
        (selector, direction)
        for selector in _TEXTS
        for spec in specs
        if not spec["podSelector"] or dumps(spec["podSelector"]) == selector
        for direction in spec["policyTypes"]
    }
