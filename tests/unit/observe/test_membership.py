"""Which isolations select a namespace, kept up event by event, against brute force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.selection import selects
from namespace_isolation.observe.isolations import read_isolation
from namespace_isolation.observe.membership import Membership
from tests.support.objects import PROTECTED, audited, frozen, isolation, isolation_document, namespace
from tests.support.strategies import namespace_labels, namespaces

Json = dict[str, Any]


def _isolation(name: str, spec: Json) -> Isolation:
    return read_isolation(isolation_document(name, {"namespaces": spec}))


def test_an_isolation_finds_the_namespaces_that_are_there() -> None:
    """Namespaces first."""
    membership = Membership(PROTECTED)
    for name in ("payments", "payments-eu", "other", "kube-system"):
        assert membership.set_namespace(namespace(name)) == set()
    assert membership.set_isolation(_isolation("team", {"names": ["payments*"]})) == {"payments", "payments-eu"}
    assert membership.members("team") == {"payments", "payments-eu"}
    assert membership.governing("payments") == ("team",)
    assert membership.governing("other") == ()


def test_a_namespace_finds_the_isolations_that_are_there() -> None:
    """The resource first."""
    membership = Membership(PROTECTED)
    membership.set_isolation(_isolation("b", {"names": ["payments"]}))
    membership.set_isolation(_isolation("a", {"selector": {"matchLabels": {"team": "x"}}}))
    assert membership.set_namespace(namespace("payments", {"team": "x"})) == {"a", "b"}
    assert membership.governing("payments") == ("a", "b")


def test_a_change_tells_of_both_who_was_and_who_is_concerned() -> None:
    """A namespace that leaves one isolation and joins another concerns both."""
    membership = Membership(PROTECTED)
    membership.set_isolation(_isolation("a", {"selector": {"matchLabels": {"team": "a"}}}))
    membership.set_isolation(_isolation("b", {"selector": {"matchLabels": {"team": "b"}}}))
    membership.set_namespace(namespace("x", {"team": "a"}))
    assert membership.set_namespace(namespace("x", {"team": "b"})) == {"a", "b"}
    membership.set_namespace(namespace("y", {"team": "a"}))
    assert membership.set_isolation(_isolation("a", {"names": ["x"]})) == {"x", "y"}
    assert membership.drop_namespace("x") == {"a", "b"}
    assert membership.drop_isolation("b") == set()


def test_an_isolation_that_is_not_accepted_selects_nothing() -> None:
    """What it selected before is told, so that it is looked at."""
    membership = Membership(PROTECTED)
    membership.set_namespace(namespace())
    membership.set_isolation(isolation())
    assert membership.set_isolation(frozen()) == {"payments"}
    assert membership.members("team") == set()
    assert membership.set_namespace(namespace()) == set()


def test_an_isolation_in_audit_selects_what_it_would_enforce() -> None:
    """Its namespaces are looked at, to find out what it would do."""
    membership = Membership(PROTECTED)
    membership.set_namespace(namespace())
    assert membership.set_isolation(audited()) == {"payments"}
    assert membership.governing("payments") == ("team",)


def test_what_is_not_known_is_dropped_without_a_word() -> None:
    """Deletions may come twice."""
    membership = Membership(PROTECTED)
    assert membership.drop_isolation("team") == set()
    assert membership.drop_namespace("payments") == set()
    assert membership.members("team") == set()


_NAMES = ("payments", "payments-eu", "monitoring", "kube-system")
_ISOLATIONS = ("a", "b", "c")
# Exact names, a required label, globs and anything else take different ways through the index.
_namespaces = st.one_of(
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3).map(lambda names: {"names": names}),
    st.fixed_dictionaries(
        {
            "selector": st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["web", ""]), min_size=1).map(
                lambda labels: {"matchLabels": labels}
            )
        },
        optional={"names": st.sampled_from([["*"], ["payments"], ["pay*", "monitoring"]])},
    ),
    namespaces,
)
_events = st.one_of(
    st.tuples(st.just("set isolation"), st.sampled_from(_ISOLATIONS), _namespaces),
    st.tuples(st.just("drop isolation"), st.sampled_from(_ISOLATIONS), st.none()),
    st.tuples(st.just("set namespace"), st.sampled_from(_NAMES), namespace_labels),
    st.tuples(st.just("drop namespace"), st.sampled_from(_NAMES), st.none()),
)


def _brute_force(isolations: Mapping[str, Isolation], there: Mapping[str, Namespace]) -> set[tuple[str, str]]:
    return {
        (name, each.name)
        for name, isolation_ in isolations.items()
        for each in there.values()
        if isolation_.spec is not None
        and selects(isolation_.spec.namespaces, name=each.name, labels=each.labels, protected=PROTECTED)
    }


@given(events=st.lists(_events, max_size=25))
def test_the_index_agrees_with_brute_force_after_every_event(events: list[tuple[str, str, Any]]) -> None:
    """Both ways, whatever came in whatever order; and each event tells of all whom it changed."""
    membership = Membership(PROTECTED)
    isolations: dict[str, Isolation] = {}
    there: dict[str, Namespace] = {}
    for kind, name, value in events:
        before = _brute_force(isolations, there)
        match kind:
            case "set isolation":
                isolations[name] = _isolation(name, value)
                told = membership.set_isolation(isolations[name])
            case "drop isolation":
                isolations.pop(name, None)
                told = membership.drop_isolation(name)
            case "set namespace":
                there[name] = namespace(name, value)
                told = membership.set_namespace(there[name])
            case _:
                there.pop(name, None)
                told = membership.drop_namespace(name)
        now = _brute_force(isolations, there)
        assert {(one, each) for one in _ISOLATIONS for each in membership.members(one)} == now
        assert {(one, each) for each in _NAMES for one in membership.governing(each)} == now
        changed = before ^ now
        other = 1 if kind.endswith("isolation") else 0
        assert {pair[other] for pair in changed} <= told
    for name in list(isolations):
        membership.drop_isolation(name)
    for name in list(there):
        membership.drop_namespace(name)
    leftovers = (membership._by_pair, membership._named, membership._paired, membership._tried, membership._governing)
    assert not any(leftovers)
