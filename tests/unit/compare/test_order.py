"""The order of a plan: no gap in a denial, no allowed flow cut, deletions last."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.order import in_safe_order
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import LivePolicy, Policy, Reach
from tests.support.objects import desired_in, isolation, live_from, policy, view
from tests.support.strategies import specs

Json = dict[str, Any]

_SOME: Json = {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [{"podSelector": {}}]}]}
_EVERY: Json = {"ingress": [{"from": [{"podSelector": {}}]}]}
_DENY: Json = {"policyTypes": ["Ingress"]}


def _create(name: str, spec: Json) -> Create:
    return Create(policy=policy(f"team.{name}", spec), why=Why.WANTED)


def _update(name: str, before: Json, after: Json) -> Update:
    name = f"team.{name}"
    return Update(policy=policy(name, after), live=live_from(policy(name, before)), why=Why.OUTDATED)


def _delete(name: str, spec: Json) -> Delete:
    return Delete(live=live_from(policy(f"team.{name}", spec)), isolation="team", why=Why.UNWANTED)


# sentence: the steps in any order, and the phases they make up
TABLE: dict[str, tuple[tuple[Step, ...], list[list[str]]]] = {
    "nothing to do is no phase": ((), []),
    "on creation: some pods, every pod, denials": (
        (_create("deny", _DENY), _create("every", _EVERY), _create("some", _SOME)),
        [["some"], ["every"], ["deny"]],
    ),
    "on removal the reverse": (
        (_delete("some", _SOME), _delete("every", _EVERY), _delete("deny", _DENY)),
        [["deny"], ["every"], ["some"]],
    ),
    "within a phase by name": ((_create("b", _SOME), _create("a", _SOME)), [["a", "b"]]),
    "deletions come after everything else": (
        (_delete("old", _DENY), _create("new", _DENY), _update("same", _SOME, _EVERY)),
        [["same"], ["new"], ["old"]],
    ),
    "new allowances come before changed ones": (
        (_update("a", _SOME, _SOME), _create("b", _SOME)),
        [["b"], ["a"]],
    ),
    "changed allowances come before new denials": (
        (_create("deny", _DENY), _update("a", _SOME, _SOME)),
        [["a"], ["deny"]],
    ),
    "a denial that is repaired comes after allowances": (
        (_update("deny", _EVERY, _DENY), _create("some", _SOME)),
        [["some"], ["deny"]],
    ),
    "what stops denying waits for the new denial": (
        (_update("old", _DENY, _SOME), _create("deny", _DENY)),
        [["deny"], ["old"]],
    ),
    "what stops selecting every pod waits for the new denial": (
        (_update("old", _EVERY, _SOME), _create("deny", _DENY)),
        [["deny"], ["old"]],
    ),
}


def _phases(steps: tuple[Step, ...]) -> list[list[str]]:
    return [[step.name.removeprefix("team.") for step in phase] for phase in in_safe_order(steps)]


@pytest.mark.parametrize(("steps", "phases"), TABLE.values(), ids=TABLE.keys())
def test_the_phases_of_a_plan(steps: tuple[Step, ...], phases: list[list[str]]) -> None:
    """Each sentence of the table holds, in whatever order the steps come."""
    assert _phases(steps) == phases
    assert _phases(steps[::-1]) == phases


State = dict[str, tuple[Policy | LivePolicy, Json]]


def _isolated(state: dict[str, Json]) -> set[str]:
    """Name the directions for which every pod is isolated, by whatever policy."""
    return {each for spec in state.values() if not spec["podSelector"] for each in spec["policyTypes"]}


def _plan(before: Isolation, after: Isolation) -> tuple[Plan, dict[str, Json]]:
    old = desired_in(view(before))
    seen = view(after, live=[live_from(each) for each in old.values()])
    return compare(desired_in(seen), seen), {name: each.spec for name, each in old.items()}


def _after(state: dict[str, Json], step: Step) -> dict[str, Json]:
    if isinstance(step, Delete):
        return {name: spec for name, spec in state.items() if name != step.name}
    assert not isinstance(step, Release | Wait)
    return {**state, step.name: step.policy.spec}


def _rank(step: Step) -> int:
    return step.live.reach if isinstance(step, Delete | Release | Wait) else step.policy.reach


# Verbatim policies may be exchanged for anything; the promise is about what we generate.
_generated = specs().map(lambda spec: {key: value for key, value in spec.items() if key != "policies"})


@given(before=_generated, after=_generated)
def test_no_denied_direction_is_opened_on_the_way(before: Json, after: Json) -> None:
    """At every prefix of the writes, every pod stays isolated for what isolated it before and will again."""
    plan, state = _plan(isolation(**before), isolation(generation=2, **after))
    wanted = {name: each.spec for name, each in desired_in(view(isolation(generation=2, **after))).items()}
    stays = _isolated(state) & _isolated(wanted)
    for step in plan.steps():
        state = _after(state, step)
        assert stays <= _isolated(state), step.name
    assert state == wanted


@given(spec=specs())
def test_on_creation_denials_come_last_and_on_removal_first(spec: Json) -> None:
    """A namespace is isolated only once all that it allows is in place, and the other way round."""
    wanted = isolation(**{**spec, "deletionPolicy": "Delete"})
    seen = view(wanted)
    created = [_rank(step) for step in compare(desired_in(seen), seen).steps()]
    assert created == sorted(created)
    leaving = isolation(**{**spec, "deletionPolicy": "Delete"}, deleting=True)
    seen = view(leaving, live=[live_from(each) for each in desired_in(view(wanted)).values()])
    removed = [_rank(step) for step in compare(desired_in(seen), seen).steps()]
    assert removed == sorted(removed, reverse=True)
    assert len(removed) == len(created)


@given(before=specs(), after=specs(), data=st.data())
def test_deletions_come_last_and_no_policy_is_touched_twice(before: Json, after: Json, data: st.DataObject) -> None:
    """Whatever changes, whatever else is in the namespace: what replaces is in place before what is replaced goes."""
    old, new = isolation("a", **before), isolation(data.draw(st.sampled_from(["a", "b"])), generation=2, **after)
    live = [live_from(each) for each in desired_in(view(old)).values()]
    seen = view(new, live=live)
    steps = list(compare(desired_in(seen), seen).steps())
    kinds = [isinstance(step, Delete) for step in steps]
    assert kinds == sorted(kinds)
    assert len({step.name for step in steps}) == len(steps)


def test_reach_rises_with_what_a_policy_isolates() -> None:
    """The ranks themselves are in the order of creation."""
    assert sorted(Reach) == [Reach.SOME_PODS, Reach.EVERY_POD, Reach.DENY]
