"""Which namespaces an isolation selects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.resource import Namespaces, parse_spec
from namespace_isolation.model.selection import selects
from tests.support.objects import PROTECTED
from tests.support.strategies import namespace_labels, namespaces

Json = dict[str, Any]

_TEAM = {"matchLabels": {"team": "payments"}}


def _expression(key: str, operator: str, *values: str) -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


# sentence: spec.namespaces, the namespace's name and labels, whether it is selected
TABLE: dict[str, tuple[Json, str, Mapping[str, str], bool]] = {
    "an exact name matches": ({"names": ["payments"]}, "payments", {}, True),
    "another name does not": ({"names": ["payments"]}, "payments-eu", {}, False),
    "one of several names is enough": ({"names": ["a", "payments"]}, "payments", {}, True),
    "* stands for characters": ({"names": ["payments-*"]}, "payments-eu", {}, True),
    "* stands for none, too": ({"names": ["payments*"]}, "payments", {}, True),
    "* does not reach over what stands before it": ({"names": ["payments-*"]}, "payments", {}, False),
    "a glob is the whole name": ({"names": ["pay*"]}, "my-payments", {}, False),
    "* in the middle": ({"names": ["a*c*e"]}, "abcde", {}, True),
    "* in the middle, and the end missing": ({"names": ["a*c*e"]}, "abcd", {}, False),
    "the last part is looked for at the end": ({"names": ["a*ab"]}, "aabab", {}, True),
    "parts do not overlap": ({"names": ["ab*ba"]}, "aba", {}, False),
    "? stands for one": ({"names": ["team-?"]}, "team-a", {}, True),
    "? does not stand for none": ({"names": ["team-?"]}, "team-", {}, False),
    "? does not stand for two": ({"names": ["team-?"]}, "team-ab", {}, False),
    "? after *": ({"names": ["*?-eu"]}, "-eu", {}, False),
    "a glob knows no ranges": ({"names": ["a-b*"]}, "a", {}, False),
    "a label matches": ({"selector": _TEAM}, "x", {"team": "payments"}, True),
    "another value does not": ({"selector": _TEAM}, "x", {"team": "other"}, False),
    "a missing label does not": ({"selector": _TEAM}, "x", {}, False),
    "an empty selector matches everything": ({"selector": {}}, "x", {}, True),
    "In": ({"selector": _expression("a", "In", "b", "c")}, "x", {"a": "c"}, True),
    "In needs the label": ({"selector": _expression("a", "In", "b")}, "x", {}, False),
    "NotIn": ({"selector": _expression("a", "NotIn", "b")}, "x", {"a": "b"}, False),
    "NotIn does not need the label": ({"selector": _expression("a", "NotIn", "b")}, "x", {}, True),
    "Exists with an empty value": ({"selector": _expression("a", "Exists")}, "x", {"a": ""}, True),
    "Exists": ({"selector": _expression("a", "Exists")}, "x", {}, False),
    "DoesNotExist": ({"selector": _expression("a", "DoesNotExist")}, "x", {}, True),
    "DoesNotExist with an empty value": ({"selector": _expression("a", "DoesNotExist")}, "x", {"a": ""}, False),
    "names and selector must both match": ({"names": ["x"], "selector": _TEAM}, "x", {}, False),
    "names and selector both match": ({"names": ["x"], "selector": _TEAM}, "x", {"team": "payments"}, True),
    "an exclusion by name": ({"names": ["*"], "exclude": {"names": ["x"]}}, "x", {}, False),
    "an exclusion by glob": ({"selector": _TEAM, "exclude": {"names": ["x-*"]}}, "x-1", {"team": "payments"}, False),
    "an exclusion by label": ({"names": ["x"], "exclude": {"selector": _TEAM}}, "x", {"team": "payments"}, False),
    "an exclusion needs only one of its two": (
        {"names": ["x"], "exclude": {"names": ["y"], "selector": _TEAM}},
        "x",
        {"team": "payments"},
        False,
    ),
    "an exclusion of others": ({"names": ["x"], "exclude": {"names": ["y"], "selector": _TEAM}}, "x", {}, True),
    "a protected namespace and a glob": ({"names": ["kube-*"]}, "kube-system", {}, False),
    "a protected namespace and *": ({"names": ["*"]}, "nsiso-system", {}, False),
    "a protected namespace and a selector": ({"selector": {}}, "kube-public", {}, False),
    "a protected namespace and its name": ({"names": ["kube-system"]}, "kube-system", {}, True),
    "a protected namespace and its name among globs": ({"names": ["*", "kube-system"]}, "kube-system", {}, True),
    "a protected namespace, its name and a selector": (
        {"names": ["kube-system"], "selector": _TEAM},
        "kube-system",
        {},
        False,
    ),
    "a protected namespace that is excluded": (
        {"names": ["kube-system"], "exclude": {"names": ["kube-*"]}},
        "kube-system",
        {},
        False,
    ),
    "a namespace that only starts like a protected one": ({"names": ["kube-*"]}, "kube-system-2", {}, True),
}


def _parsed(spec: Json) -> Namespaces:
    return parse_spec({"namespaces": spec}).namespaces


@pytest.mark.parametrize(("spec", "name", "labels", "selected"), TABLE.values(), ids=TABLE.keys())
def test_an_isolation_selects_a_namespace(spec: Json, name: str, labels: Mapping[str, str], selected: bool) -> None:  # noqa: FBT001
    """All that is given matches, nothing that is excluded does, and protected ones match by exact name alone."""
    assert selects(_parsed(spec), name=name, labels=labels, protected=PROTECTED) is selected


@pytest.mark.timeout(5)
@pytest.mark.parametrize("pattern", ["*a" * 31, "*a" * 31 + "?", "*" * 63, "a*" * 31 + "b", "*?" * 31])
def test_a_hostile_glob_costs_no_exponential_time(pattern: str) -> None:
    """One isolation must not stop the operator."""
    name = "a" * 62 + "c"
    selects(_parsed({"names": [pattern]}), name=name, labels={}, protected=frozenset())


def _naive_glob(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return _naive_glob(pattern[1:], name) or (bool(name) and _naive_glob(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and _naive_glob(pattern[1:], name[1:])


def _naive_selector(selector: Json, labels: Mapping[str, str]) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != value:
            return False
    for each in selector.get("matchExpressions", []):
        there, values = each["key"] in labels, each.get("values", [])
        ok = {
            "In": there and labels.get(each["key"]) in values,
            "NotIn": not there or labels.get(each["key"]) not in values,
            "Exists": there,
            "DoesNotExist": not there,
        }[each["operator"]]
        if not ok:
            return False
    return True


def _naive(spec: Json, name: str, labels: Mapping[str, str]) -> bool:
    patterns = spec.get("names")
    if name in PROTECTED and name not in (patterns or []):
        return False
    if patterns is not None and not any(_naive_glob(each, name) for each in patterns):
        return False
    if "selector" in spec and not _naive_selector(spec["selector"], labels):
        return False
    exclude = spec.get("exclude")
    if exclude is None:
        return True
    excluded = any(_naive_glob(each, name) for each in exclude.get("names", []))
    return not excluded and not ("selector" in exclude and _naive_selector(exclude["selector"], labels))


@given(
    spec=namespaces,
    name=st.sampled_from(["payments", "payments-eu", "kube-system", "monitoring", "eu"]),
    labels=namespace_labels,
)
def test_selection_agrees_with_a_naive_one(spec: Json, name: str, labels: Mapping[str, str]) -> None:
    """The words of the design, written down once more, decide the same."""
    assert selects(_parsed(spec), name=name, labels=labels, protected=PROTECTED) is _naive(spec, name, labels)


@given(pattern=st.text("ab*?", min_size=1, max_size=8), name=st.text("ab", min_size=1, max_size=8))
def test_a_glob_agrees_with_a_naive_one(pattern: str, name: str) -> None:
    """However stars and question marks stand, the matched names are the same."""
    assert re.fullmatch(r"[ab*?]+", pattern)
    spec = _parsed({"names": [pattern]})
    assert selects(spec, name=name, labels={}, protected=frozenset()) is _naive_glob(pattern, name)
