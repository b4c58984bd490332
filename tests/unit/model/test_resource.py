"""The wire model accepts what the API server accepts, names every fault, and writes back what it read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from namespace_isolation.model.resource import (
    AllowEntry,
    Dns,
    InvalidSpec,
    IPBlock,
    IsolationSpec,
    LabelSelector,
    NetworkPolicySpec,
    Peer,
    faults_of_name,
    parse_spec,
    wire,
)
from tests.tables.bad_inputs import BAD_INPUTS
from tests.tables.good_inputs import GOOD_INPUTS
from tests.tables.shapes import BadInput, Spec, flow, spec, verbatim

_WORDS = sorted({"namespaces", "names", "selector", "allow", "from", "to", "ports", "port", "endPort", "name", "dns"})
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_WORDS) | st.text(), inner, max_size=5),
    max_leaves=25,
)


@pytest.mark.parametrize("given_spec", [pytest.param(good.spec, id=good.title) for good in GOOD_INPUTS])
def test_good_input_is_accepted(given_spec: Spec) -> None:
    """A good input is read, and reading what was written gives the same again."""
    parsed = parse_spec(given_spec)

    assert parse_spec(wire(parsed)) == parsed


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.title) for bad in BAD_INPUTS])
def test_bad_input_is_refused_with_place_and_mend(bad: BadInput) -> None:
    """A bad input is refused, and a fault names the place and the mend."""
    with pytest.raises(InvalidSpec) as refused:
        parse_spec(bad.spec)

    assert [fault for fault in refused.value.faults if fault.path == bad.path and bad.says in fault.message], str(
        refused.value
    )


def test_all_faults_are_named_at_once() -> None:
    """Whoever mends a spec sees everything that is wrong with it."""
    with pytest.raises(InvalidSpec) as refused:
        parse_spec({"namespaces": {}, "mode": "Dry", "dns": {"to": [{}], "ports": [{"port": 0}]}, "foo": 1})

    assert {fault.path for fault in refused.value.faults} == {
        "spec.namespaces",
        "spec.mode",
        "spec.dns.to[0]",
        "spec.dns.ports[0].port",
        "spec.foo",
    }


@settings(max_examples=300, deadline=None)
@given(_JSON)
def test_any_json_is_accepted_or_refused_with_faults(anything: Any) -> None:  # noqa: ANN401 - any JSON
    """Nothing that JSON can hold raises anything but InvalidSpec, at the top and inside."""
    for given_spec in (anything, {"namespaces": anything}, spec(allow=[anything]), spec(dns={"to": anything})):
        try:
            parse_spec(given_spec)
        except InvalidSpec as refused:
            assert refused.faults  # noqa: PT017 - being accepted is as good


@pytest.mark.parametrize(
    "text",
    [
        '{"namespaces": {"names": ["\\ud800"]}}',
        '{"\\ud800": 1}',
        '{"namespaces": {"selector": {"matchLabels": {"\\ud800": "\\ud800"}}}}',
        '{"namespaces": {"names": [NaN, Infinity, 1e999, 123456789012345678901234567890]}}',
    ],
)
def test_odd_json_is_refused(text: str) -> None:
    """Lone surrogates and numbers beyond every range are faults like others."""
    with pytest.raises(InvalidSpec):
        parse_spec(json.loads(text))


def test_defaults_are_those_of_the_crd() -> None:
    """What is left out becomes what the API server would fill in."""
    assert wire(parse_spec({"namespaces": {"names": ["a"]}})) == {
        "namespaces": {"names": ["a"]},
        "mode": "Enforce",
        "defaultDeny": ["Ingress", "Egress"],
        "dns": {"enabled": True},
        "unmanagedPolicies": "Report",
        "deletionPolicy": "Delete",
    }


def test_wire_keeps_what_means_something() -> None:
    """Empty selectors, empty rules and denying lists stay; lists and maps that are empty by default go."""
    given_spec = verbatim(podSelector={"matchLabels": {}}, ingress=[], egress=[{"to": [{"namespaceSelector": {}}]}])

    assert wire(parse_spec(given_spec).policies[0].spec) == {
        "podSelector": {},
        "ingress": [],
        "egress": [{"to": [{"namespaceSelector": {}}]}],
    }
    assert wire(parse_spec(spec(defaultDeny=[])))["defaultDeny"] == []
    assert wire(IPBlock(cidr="10.0.0.0/8")) == {"cidr": "10.0.0.0/8"}


def test_python_names_build_the_same_model() -> None:
    """Code builds models by Python names; only the wire needs Kubernetes' spelling."""
    web = Peer(pod_selector=LabelSelector(match_labels={"app": "web"}))

    assert (
        AllowEntry(name="web", from_=(web,))
        == parse_spec(flow(name="web", from_=[{"podSelector": {"matchLabels": {"app": "web"}}}])).allow[0]
    )
    assert NetworkPolicySpec().pod_selector == LabelSelector()
    assert Dns().enabled


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ({"podSelector": {}}, True),
        ({"namespaceSelector": {}}, False),
        ({"namespaceSelector": {}, "podSelector": {}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, False),
    ],
)
def test_only_pods_alone_are_local(peer: Spec, local: bool) -> None:  # noqa: FBT001 - a column of the table
    """A peer is local when it has a podSelector and nothing else."""
    assert Peer.model_validate(peer).is_local is local


@pytest.mark.parametrize(
    ("name", "faulty"),
    [("team-payments", False), ("team.payments", False), ("a" * 63, False), ("a" * 64, True), ("A", True), ("", True)],
)
def test_names_of_isolations_fit_into_labels(name: str, faulty: bool) -> None:  # noqa: FBT001
    """The name of an isolation has at most 63 characters, because it becomes a label."""
    assert bool(faults_of_name(name)) is faulty


def test_models_are_frozen() -> None:
    """What was read stays as it was read."""
    parsed: IsolationSpec = parse_spec(spec())

    with pytest.raises(ValueError, match="frozen"):
        setattr(parsed, "mode", "Audit")  # noqa: B010 - the type checker refuses the plain form, too
