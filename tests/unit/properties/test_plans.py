"""A plan leads to what is desired, in one go, and then there is nothing left to do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.drift import drift_of
from namespace_isolation.compare.succession import in_succession
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Delete, Plan, Release, Wait, Why
from namespace_isolation.model.view import View
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import NAMESPACE, desired_in, isolation, spec_texts, stored, view
from tests.support.strategies import disguised, specs

Json = dict[str, Any]


def _view(objects: dict[str, Json], *isolations: Isolation) -> View:
    return view(*isolations, live=[read_policy(document) for document in objects.values()])


def _plan(objects: dict[str, Json], *isolations: Isolation) -> Plan:
    seen = _view(objects, *isolations)
    return in_succession(compare(desired_in(seen), seen), spec_texts(objects))


def _applied(plan: Plan, objects: dict[str, Json]) -> dict[str, Json]:
    """Write every step as the API server stores it."""
    now = dict(objects)
    for step in plan.steps():
        if isinstance(step, Delete):
            del now[step.name]
        else:
            assert not isinstance(step, Release | Wait)
            now[step.name] = stored(step.policy.manifest(NAMESPACE))
    return now


def _isolations(one: Json, other: Json | None) -> list[Isolation]:
    return [isolation("a", **one), *([] if other is None else [isolation("b", **other)])]


@given(one=specs(), other=st.none() | specs())
def test_a_plan_after_its_own_application_is_empty(one: Json, other: Json | None) -> None:
    """What we create is what we want to see: nothing is written twice."""
    isolations = _isolations(one, other)
    objects = _applied(_plan({}, *isolations), {})
    again = _plan(objects, *isolations)
    assert again.phases == ()
    assert {name for _, name in again.kept} == objects.keys()


@given(before=specs(), after=specs(), other=st.none() | specs())
def test_an_edit_needs_one_plan_and_perhaps_its_bridges_removed(before: Json, after: Json, other: Json | None) -> None:
    """From any spec to any other, whatever a neighbour wants."""
    objects = _applied(_plan({}, *_isolations(before, other)), {})
    isolations = [isolation("a", generation=2, **after), *_isolations(before, other)[1:]]
    plan = _plan(objects, *isolations)
    assert not any(step.why.is_drift for step in plan.steps())
    objects = _applied(plan, objects)
    rest = _plan(objects, *isolations)
    bridges = {step.name for step in plan.steps() if step.why is Why.BRIDGE}
    assert {step.name for step in rest.steps()} == bridges
    assert all(isinstance(step, Delete) for step in rest.steps())
    objects = _applied(rest, objects)
    assert _plan(objects, *isolations).phases == ()
    assert objects.keys() == desired_in(_view(objects, *isolations)).keys()


@given(spec=specs(), data=st.data())
def test_a_policy_that_is_served_in_other_words_needs_nothing(spec: Json, data: st.DataObject) -> None:
    """Order, duplicates and defaults are no drift, and no field is named."""
    wanted = isolation(**spec)
    for policy in desired_in(view(wanted)).values():
        document = stored(policy.manifest(NAMESPACE))
        document["spec"] = data.draw(disguised(document["spec"]))
        assert read_policy(document).matches(policy)
        assert drift_of(policy, document).fields == ()


@given(spec=specs(), data=st.data())
def test_a_policy_that_was_changed_is_repaired_and_the_field_is_named(spec: Json, data: st.DataObject) -> None:
    """Whatever somebody makes of a spec: either it means the same, or the plan repairs it and says where."""
    wanted = isolation(**{**spec, "defaultDeny": ["Ingress", "Egress"]})
    desired = desired_in(view(wanted))
    name = data.draw(st.sampled_from(sorted(desired)))
    other = data.draw(st.sampled_from(sorted(desired)))
    objects = _applied(_plan({}, wanted), {})
    objects[name] = {**objects[name], "spec": objects[other]["spec"]}
    steps = list(_plan(objects, wanted).steps())
    fields = drift_of(desired[name], objects[name]).fields
    assert [step.name for step in steps] == ([name] if fields else [])
    assert bool(fields) == (desired[name].spec != desired[other].spec)
    assert all(step.why is Why.MODIFIED for step in steps)


@given(spec=specs(), leaving=st.booleans())
def test_an_isolation_that_goes_leaves_nothing_or_everything(spec: Json, leaving: bool) -> None:  # noqa: FBT001
    """Delete takes all its policies away; Retain leaves all, without an owner."""
    policy = "Delete" if leaving else "Retain"
    objects = _applied(_plan({}, isolation(**{**spec, "deletionPolicy": "Delete"})), {})
    gone = isolation(**{**spec, "deletionPolicy": policy}, generation=2, deleting=True)
    after = _applied(_plan(objects, gone), objects)
    assert after.keys() == (set() if leaving else objects.keys())
    assert all("ownerReferences" not in document["metadata"] for document in after.values())
    assert compare({}, _view(after)).phases == ()
