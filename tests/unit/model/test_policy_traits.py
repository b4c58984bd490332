"""What is kept of a live policy to judge it by: what it allows, whether it was retained, and who controls it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.policy import LivePolicy, Owner, allowed_by, opened_by
from tests.support.objects import live_from, policy, stranger
from tests.support.strategies import disguised, policy_specs

Json = dict[str, Any]

_OWNER: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "u"}
_CONTROLLER: Json = {**_OWNER, "controller": True}
_OURS: Json = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": "team", "uid": "u"}
_LABELS = {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "team"}


@given(spec=policy_specs)
def test_what_is_open_is_allowed_and_what_is_allowed_is_isolated(spec: Json) -> None:
    """In whatever direction."""
    canonical = canonical_spec(spec)
    assert opened_by(canonical) <= allowed_by(canonical) <= set(canonical["policyTypes"])


@given(spec=policy_specs, data=st.data())
def test_what_a_policy_allows_does_not_depend_on_how_it_is_written(spec: Json, data: st.DataObject) -> None:
    """Lists turned and doubled, defaults said or left out."""
    canonical = canonical_spec(spec)
    other = canonical_spec(data.draw(disguised(canonical)))
    assert (allowed_by(other), opened_by(other)) == (allowed_by(canonical), opened_by(canonical))


@given(spec=policy_specs, extra=st.sampled_from(["ingress", "egress"]))
def test_a_rule_that_lets_everybody_through_opens_its_direction(spec: Json, extra: str) -> None:
    """Whatever stands beside it."""
    direction = extra.capitalize()
    types = sorted({*(spec.get("policyTypes") or ()), direction})
    opened = canonical_spec({**spec, "policyTypes": types, extra: [*(spec.get(extra) or ()), {}]})
    assert direction in opened_by(opened)


# sentence: the policy, and whether it was retained
_RETAINED: dict[str, tuple[LivePolicy, bool]] = {
    "both our labels and no owner": (stranger("x", labels=_LABELS), True),
    "an owner": (stranger("x", labels=_LABELS, ownerReferences=[_OURS]), False),
    "a foreign owner alone": (stranger("x", labels=_LABELS, ownerReferences=[_OWNER]), True),
    "one label": (stranger("x", labels={"nsiso.dev/isolation": "team"}), False),
    "another manager": (stranger("x", labels={**_LABELS, "app.kubernetes.io/managed-by": "Helm"}), False),
    "no label": (stranger("team.allow-x-ingress"), False),
}


@pytest.mark.parametrize(("live", "retained"), _RETAINED.values(), ids=_RETAINED.keys())
def test_what_was_retained_is_known_by_its_labels(live: LivePolicy, *, retained: bool) -> None:
    """Its isolation is gone, and with it its ownerReference."""
    assert live.retained is retained


# sentence: the ownerReferences, and whether somebody else is the controller
_CONTROLLED: dict[str, tuple[list[Json], bool]] = {
    "nobody": ([], False),
    "an owner that does not control": ([_OWNER], False),
    "an owner that says so": ([{**_OWNER, "controller": False}], False),
    "a controller": ([_CONTROLLER], True),
    "a controller beside our reference": ([_OURS, _CONTROLLER], True),
    "our reference, bent": ([{**_OURS, "controller": True}], False),
}


@pytest.mark.parametrize(("references", "controlled"), _CONTROLLED.values(), ids=_CONTROLLED.keys())
def test_who_controls_a_policy(references: list[Json], *, controlled: bool) -> None:
    """Another operator would make it again."""
    assert stranger("x", ownerReferences=references).controlled is controlled


def test_a_controller_that_comes_or_goes_is_a_change() -> None:
    """It decides whether the policy may be removed."""
    live = live_from(policy("team.x"))
    assert not structs.replace(live, controlled=True).same_content(live)


@pytest.mark.parametrize(
    ("live", "marked"),
    [
        (stranger("team.default-deny-all"), False),
        (stranger("x", labels={"nsiso.dev/isolation": "team"}), True),
        (stranger("x", labels={"app.kubernetes.io/managed-by": "nsiso"}), True),
        (stranger("x", labels={"app.kubernetes.io/managed-by": "Helm"}), False),
        (stranger("x", annotations={"nsiso.dev/hash": "1-0"}), True),
        (stranger("x", annotations={"nsiso.dev/description": "words"}), False),
        (structs.replace(stranger("x"), owners=(Owner("team", "u"),)), True),
    ],
    ids=["a name", "one label", "the other label", "another manager", "our hash", "words", "an owner"],
)
def test_a_mark_is_what_only_we_write(live: LivePolicy, *, marked: bool) -> None:
    """One is enough; a name is none, for anybody may choose it."""
    assert live.marked is marked
