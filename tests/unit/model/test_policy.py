"""A policy as it should be, and how a live one is recognised and compared."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.policy import (
    LivePolicy,
    Owner,
    Reach,
    is_isolation_reference,
    policy_from,
    reach_of,
    rendering_hash,
)
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import live_from, policy, stored

Json = dict[str, Any]

WANTED = policy("team.default-deny-all")
_RULE: Json = {"from": [{"podSelector": {}}]}
_OUT: Json = {"to": [{"podSelector": {}}]}
_SOME = {"matchLabels": {"app": "web"}}


@pytest.mark.parametrize(
    ("spec", "reach"),
    [
        ({}, Reach.DENY),
        ({"policyTypes": ["Ingress", "Egress"]}, Reach.DENY),
        ({"podSelector": _SOME}, Reach.DENY),
        ({"ingress": [_RULE]}, Reach.EVERY_POD),
        ({"podSelector": _SOME, "ingress": [_RULE]}, Reach.SOME_PODS),
        ({"podSelector": _SOME, "ingress": [_RULE], "policyTypes": ["Ingress", "Egress"]}, Reach.DENY),
        ({"policyTypes": ["Egress"], "egress": [_OUT]}, Reach.EVERY_POD),
        ({"policyTypes": ["Egress"], "ingress": [_RULE]}, Reach.DENY),
        ({"ingress": [{}]}, Reach.EVERY_POD),
    ],
)
def test_the_reach_of_a_policy_decides_when_it_is_written(spec: Json, reach: Reach) -> None:
    """A direction without a rule denies; else the selector tells some pods from every pod."""
    assert reach_of(canonical_spec(spec)) is reach


def test_the_manifest_of_a_policy_carries_labels_annotations_and_owner() -> None:
    """What is created is exactly what the design says."""
    assert WANTED.manifest("payments") == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "team.default-deny-all",
            "namespace": "payments",
            "labels": {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "team"},
            "annotations": {
                "nsiso.dev/description": "What team.default-deny-all is for.",
                "nsiso.dev/hash": f"1-{WANTED.digest}",
            },
            "ownerReferences": [
                {
                    "apiVersion": "nsiso.dev/v1alpha1",
                    "kind": "NamespaceIsolation",
                    "name": "team",
                    "uid": "uid-of-team",
                    "controller": False,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }


def test_a_retained_policy_has_no_owner_reference() -> None:
    """The field is left out, not empty."""
    assert "ownerReferences" not in policy("team.legacy", owner=False).manifest("payments")["metadata"]


def test_a_policy_that_was_just_stored_matches() -> None:
    """Nothing that the API server adds is a difference."""
    live = read_policy(stored(WANTED.manifest("payments")))
    assert live.matches(WANTED)
    assert live.intact


@pytest.mark.parametrize(
    "facts",
    [
        {"digest": "0" * 32},
        {"managed_by": None},
        {"managed_by": "helm"},
        {"isolation": None},
        {"isolation": "other"},
        {"description": "Nothing to see here."},
        {"hash": None},
        {"hash": f"0-{WANTED.digest}"},
        {"owners": ()},
        {"owners": (Owner("team", "an-older-uid"),)},
        {"owners": (Owner("team", "uid-of-team", plain=False),)},
        {"owners": (Owner("team", "uid-of-team"), Owner("other", "uid-of-other"))},
    ],
    ids=str,
)
def test_every_part_that_we_keep_is_compared(facts: Json) -> None:
    """Spec, both labels, both annotations and the ownerReference: each alone makes the policy differ."""
    changed = live_from(WANTED, **facts)
    assert not changed.matches(WANTED)
    assert not changed.same_content(live_from(WANTED))


@pytest.mark.parametrize("facts", [{"resource_version": 99}, {"foreign": True}], ids=str)
def test_what_others_may_change_is_no_content(facts: Json) -> None:
    """A new version alone is no change."""
    assert live_from(WANTED, **facts).matches(WANTED)
    assert live_from(WANTED, **facts).same_content(live_from(WANTED))


def test_a_policy_made_anew_is_another_one() -> None:
    """Another uid is another object, whatever it holds."""
    assert not live_from(WANTED, uid="another").same_content(live_from(WANTED))
    assert not live_from(WANTED).same_content(None)


def test_a_policy_of_an_older_rendering_is_intact_as_long_as_its_hash_fits() -> None:
    """The version in the hash says who wrote it, the digest whether anyone touched the spec since."""
    assert live_from(WANTED, hash=f"0-{WANTED.digest}").intact
    assert not live_from(WANTED, hash=rendering_hash("0" * 32)).intact
    assert not live_from(WANTED, hash=None).intact
    assert not live_from(WANTED, hash="").intact


_NOBODY = structs.replace(live_from(policy("team.legacy")), owners=(), managed_by=None, isolation=None, hash=None)


@pytest.mark.parametrize(
    ("live", "claims"),
    [
        (_NOBODY, ()),
        (structs.replace(_NOBODY, managed_by="nsiso"), ()),
        (structs.replace(_NOBODY, isolation="team"), ()),
        (structs.replace(_NOBODY, managed_by="helm", isolation="team"), ()),
        (structs.replace(_NOBODY, managed_by="nsiso", isolation="team"), ("team",)),
        (structs.replace(_NOBODY, owners=(Owner("team", "u"),)), ("team",)),
        (structs.replace(_NOBODY, name="team.default-deny-all"), ("team",)),
        (
            structs.replace(
                _NOBODY,
                name="c.allow-dns-egress",
                managed_by="nsiso",
                isolation="b",
                owners=(Owner("a", "u"), Owner("a", "v")),
            ),
            ("a", "b", "c"),
        ),
    ],
    ids=["nothing", "one label", "the other label", "another manager", "both labels", "owner", "name", "all, in order"],
)
def test_the_claims_of_a_policy_are_owner_then_labels_then_name(live: LivePolicy, claims: tuple[str, ...]) -> None:
    """One label alone claims nothing; each isolation is named once."""
    assert live.claims == claims


@pytest.mark.parametrize(
    ("reference", "ours"),
    [
        ({"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation"}, True),
        ({"apiVersion": "nsiso.dev/v2", "kind": "NamespaceIsolation"}, True),
        ({"apiVersion": "nsiso.dev/v1alpha1", "kind": "Other"}, False),
        ({"apiVersion": "example.com/v1", "kind": "NamespaceIsolation"}, False),
        ({"apiVersion": "nsiso.dev.example.com/v1", "kind": "NamespaceIsolation"}, False),
        ({}, False),
    ],
)
def test_a_reference_to_an_isolation_is_known_in_every_version(reference: Json, ours: bool) -> None:  # noqa: FBT001
    """Group and kind decide."""
    assert is_isolation_reference(reference) is ours


def test_a_policy_is_kept_in_canonical_form() -> None:
    """However the spec was given, what is written and hashed is the canonical one."""
    spec: Json = {"ingress": [{"from": [{"podSelector": {"matchLabels": {}}}], "ports": []}], "egress": []}
    made = policy_from(name="team.legacy", isolation="team", description="", spec=spec, owner=None)
    assert made.spec == {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    assert made.reach is Reach.EVERY_POD
