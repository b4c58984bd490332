"""Remove takes away what widens an isolation, never what belongs to one, and never opens what was isolated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from namespace_isolation.apply.carry_out import carry_out
from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.identity import owner_of
from namespace_isolation.compare.unmanaged import unmanaged_in
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Delete, Step, Why
from namespace_isolation.model.view import View
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import NAMESPACE, desired_in, foreign_document, frozen, isolation, stored, view
from tests.support.strategies import policy_specs

Json = dict[str, Any]

_BOTH = ("Ingress", "Egress")
_CONTROLLER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "u", "controller": True}
_PODS: tuple[dict[str, str], ...] = (
    {},
    *({key: value} for key in ("app", "tier") for value in ("web", "api", "db", "cache", "")),
    {"app": "web", "tier": "db"},
)
"""Pods that selectors tell apart; the labels are those of the strategies."""

_denials = st.sampled_from([["Ingress", "Egress"], ["Ingress"], ["Egress"], []])
_isolations = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["Enforce", "Enforce", "Audit", "Dry"]),
        "unmanagedPolicies": st.sampled_from(["Remove", "Remove", "Report", "Ignore"]),
        "defaultDeny": _denials,
        "dns": st.fixed_dictionaries({"enabled": st.booleans()}),
        "deleting": st.sampled_from([False, False, False, True]),
        "deletionPolicy": st.sampled_from(["Delete", "Retain"]),
        "policies": st.lists(st.fixed_dictionaries({"name": st.just("legacy"), "spec": policy_specs}), max_size=1),
    }
)
_marks: st.SearchStrategy[Json] = st.sampled_from(
    [
        {},
        {},
        {"labels": {"app.kubernetes.io/managed-by": "Helm"}},
        {"ownerReferences": [_CONTROLLER]},
        *(
            {"labels": {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": name}}
            for name in ("a", "b", "gone")
        ),
        *(
            {"ownerReferences": [{"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", **owner}]}
            for owner in ({"name": "a", "uid": "uid-of-a"}, {"name": "gone", "uid": "uid-of-gone"})
        ),
    ]
)
_names = st.sampled_from(["raw", "allow-all", "a.allow-x-ingress", "b.default-deny-all", "gone.allow-x-ingress"])
_openings: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"ingress": [{}]},
        {"ingress": [{}], "policyTypes": ["Ingress", "Egress"]},
        {"egress": [{}], "policyTypes": ["Ingress", "Egress"]},
        {"egress": [{}], "policyTypes": ["Egress"], "podSelector": {"matchLabels": {"app": "web"}}},
    ]
)
_foreign = st.dictionaries(_names, st.tuples(policy_specs | _openings, _marks), max_size=4)


class Store:
    """Policies of one namespace, written one by one; some writes fail, and every moment is looked at."""

    def __init__(self, objects: dict[str, Json], random: Random | None, isolations: Mapping[str, Isolation]) -> None:
        """Begin with `objects`; without chance nothing fails."""
        self.objects, self._random, self._isolations = objects, random, isolations
        self.removed: set[str] = set()

    async def read(self, namespace: str, name: str) -> Json | None:
        """Give a policy as served."""
        assert namespace == NAMESPACE
        return self.objects.get(name)

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Write, or fail; a removal of somebody else's policy is held to what is promised."""
        assert namespace == NAMESPACE
        if self._random is not None and self._random.random() < 0.4:
            failure = Failure(reason="Forbidden", message="no")
            return StepResult(step=step, result=Result.FAILED, failure=failure)
        if not isinstance(step, Delete):
            policy = getattr(step, "policy", None)
            if policy is not None:
                self.objects[step.name] = stored(policy.manifest(NAMESPACE))
            return StepResult(step=step, result=Result.DONE)
        before = isolated_in(self.objects)
        gone = self.objects.pop(step.name)
        if step.why is Why.UNMANAGED:
            self.removed.add(step.name)
            assert owner_of(read_policy(gone), self._isolations) is None, step.name
            assert isolated_in(self.objects) == before, step.name
        return StepResult(step=step, result=Result.DONE)


def isolated_in(objects: Mapping[str, Json]) -> set[tuple[int, str]]:
    """Tell which pods are isolated in which direction."""
    return {
        (index, direction)
        for document in objects.values()
        for index, labels in enumerate(_PODS)
        if _selects(document["spec"]["podSelector"], labels)
        for direction in document["spec"]["policyTypes"]
    }


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    """Match as Kubernetes does, written down apart from the code under test."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions", ()))


def _holds(requirement: Json, labels: Mapping[str, str]) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _read(name: str, drawn: Json) -> Isolation:
    spec = {key: value for key, value in drawn.items() if key != "mode"}
    return frozen(name, **spec) if drawn["mode"] == "Dry" else isolation(name, mode=drawn["mode"], **spec)


def _seen(objects: Mapping[str, Json], isolations: list[Isolation]) -> View:
    return view(*isolations, live=[read_policy(document) for document in objects.values()])


def _reconciled(store: Store, isolations: list[Isolation]) -> Outcome:
    seen = _seen(store.objects, isolations)
    plan = compare(desired_in(seen), seen)
    return asyncio.run(carry_out(plan, store, still_wanted=lambda: True))


def _store(
    drawn: dict[str, Json], foreign: dict[str, tuple[Json, Json]], random: Random | None
) -> tuple[Store, list[Isolation]]:
    isolations = [_read(name, each) for name, each in drawn.items()]
    objects = {name: foreign_document(name, spec, **marks) for name, (spec, marks) in foreign.items()}
    return Store(objects, random, {each.name: each for each in isolations}), isolations


_some = st.fixed_dictionaries({"a": _isolations}, optional={"b": _isolations, "c": _isolations})


@settings(max_examples=400)
@given(drawn=_some, foreign=_foreign)
def test_what_is_removed_belongs_to_nobody_and_isolates_nobody_else(
    drawn: dict[str, Json], foreign: dict[str, tuple[Json, Json]]
) -> None:
    """Whoever governs, in whatever mode, whatever marks a policy bears; and after one go nothing is left to remove."""
    store, isolations = _store(drawn, foreign, None)
    outcome = _reconciled(store, isolations)
    assert {each.step.name for each in outcome.results if each.step.why is Why.UNMANAGED} == store.removed
    again = _seen(store.objects, isolations)
    left = [step for step in compare(desired_in(again), again).steps() if step.why is Why.UNMANAGED]
    assert left == []


@settings(max_examples=200)
@given(drawn=_some, foreign=_foreign)
def test_what_widens_an_isolation_that_removes_goes_or_is_kept_for_a_reason(
    drawn: dict[str, Json], foreign: dict[str, tuple[Json, Json]]
) -> None:
    """Nothing is passed over in silence."""
    store, isolations = _store(drawn, foreign, None)
    before = _seen(store.objects, isolations)
    desired = desired_in(before)
    removing = [each for each in before.governing if each.spec and each.spec.unmanaged_policies == "Remove"]
    enforced = [each for each in removing if before.stance_of(each).value == "Wanted"]
    _reconciled(store, isolations)
    for each in enforced:
        for found in unmanaged_in(before, each, desired.keys()):
            assert (found.policy in store.removed) == (found.kept is None), found


_simple = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["Enforce", "Enforce", "Audit"]),
        "deleting": st.sampled_from([False, False, False, True]),
        "unmanagedPolicies": st.sampled_from(["Remove", "Report"]),
        "defaultDeny": _denials,
        "dns": st.fixed_dictionaries({"enabled": st.booleans()}),
    }
)
_open: st.SearchStrategy[dict[str, tuple[Json, Json]]] = st.dictionaries(
    st.sampled_from(["raw", "allow-all"]), st.tuples(_openings, st.just({})), min_size=1
)


@settings(max_examples=300)
@given(
    drawn=st.fixed_dictionaries({"a": _simple, "b": _simple}),
    foreign=_open,
    random=st.integers(0, 2**32).map(Random),
)
def test_what_is_isolated_stays_so_whatever_cannot_be_written(
    drawn: dict[str, Json], foreign: dict[str, tuple[Json, Json]], random: Random
) -> None:
    """A denial that is refused, of whichever isolation, keeps what isolates in its place."""
    store, isolations = _store(drawn, foreign, random)
    for _ in range(3):
        _reconciled(store, isolations)


@settings(max_examples=200)
@given(spec=policy_specs, mode=st.sampled_from(["Audit", "Dry"]), other=_isolations)
def test_what_lost_every_mark_is_not_removed_from_an_isolation_that_does_not_act(
    spec: Json, mode: str, other: Json
) -> None:
    """A verbatim policy is known by its name alone then; nobody repairs it, and nobody takes it for a stranger's."""
    standing = {"mode": mode, "policies": [{"name": "legacy", "spec": spec}]}
    store, isolations = _store({"a": standing, "b": other}, {"a.legacy": (spec, {})}, None)
    _reconciled(store, isolations)
    assert "a.legacy" in store.objects
