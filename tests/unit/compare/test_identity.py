"""Whose policy it is, where no isolation asks for it."""

from __future__ import annotations

import pytest
from msgspec import structs

from namespace_isolation.compare.identity import owner_of
from namespace_isolation.model.policy import LivePolicy, Owner
from tests.support.objects import isolation, live_from, policy

_PLAIN = structs.replace(live_from(policy("legacy", owner=False)), managed_by=None, isolation=None, hash=None)
_LABELLED = structs.replace(_PLAIN, managed_by="nsiso", isolation="team")
_OWNED = structs.replace(_PLAIN, owners=(Owner("team", "uid-of-team"),))


@pytest.mark.parametrize(
    ("live", "isolations", "owner"),
    [
        (_PLAIN, ("team",), None),
        (structs.replace(_PLAIN, name="default-deny-all"), ("team",), None),
        (structs.replace(_PLAIN, name="team.something"), ("team",), None),
        (structs.replace(_PLAIN, name="team.default-deny-all"), ("team",), "team"),
        (structs.replace(_PLAIN, name="team.default-deny-all"), (), None),
        (_LABELLED, ("team",), "team"),
        (_LABELLED, (), None),
        (structs.replace(_LABELLED, managed_by="helm"), ("team",), None),
        (structs.replace(_LABELLED, managed_by=None), ("team",), None),
        (_OWNED, ("team",), "team"),
        (_OWNED, (), "team"),
        (structs.replace(_OWNED, managed_by="nsiso", isolation="b"), ("b",), "b"),
        (structs.replace(_OWNED, managed_by="nsiso", isolation="b"), ("team", "b"), "team"),
        (structs.replace(_OWNED, name="b.default-deny-all"), ("b",), "b"),
    ],
    ids=[
        "nothing of ours is unmanaged",
        "the usual name of a raw policy is unmanaged",
        "the prefix of an isolation alone is unmanaged: it may be a verbatim name",
        "a generated name of a live isolation is that isolation's",
        "a generated name of no isolation is unmanaged",
        "both labels of a live isolation are that isolation's",
        "both labels of an isolation that is gone: it was retained",
        "the isolation's label under another manager is unmanaged",
        "the isolation's label alone is unmanaged",
        "an ownerReference to a live isolation is that isolation's",
        "an ownerReference to an isolation that is gone is still its policy",
        "a live isolation's labels count more than an owner that is gone",
        "of two live isolations the owner counts most",
        "a live isolation's name counts more than an owner that is gone",
    ],
)
def test_a_policy_belongs_to_the_isolation_that_its_strongest_live_claim_names(
    live: LivePolicy, isolations: tuple[str, ...], owner: str | None
) -> None:
    """Owner, then labels, then the form of the name; None is not ours to touch."""
    assert owner_of(live, {name: isolation(name) for name in isolations}) == owner
