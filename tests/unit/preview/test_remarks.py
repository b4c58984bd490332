"""What a reader should know and cannot see in the output."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Wait, Why
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.preview.cast import Background
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.remarks import remarks_on_background, remarks_on_unmanaged, remarks_on_waiting
from tests.support.objects import isolation, live_from, policy


def _inputs(*isolations: Isolation) -> Inputs:
    return Inputs(isolations={each.name: each for each in isolations}, namespaces={}, passed_over={})


@pytest.mark.parametrize(
    ("there", "known", "remarks"),
    [
        ([], True, []),
        ([isolation()], True, []),
        ([isolation("other", deleting=True)], True, []),
        (
            [isolation(deleting=True)],
            True,
            ["NamespaceIsolation team is being deleted in the cluster: this shows it as if it were not"],
        ),
        ([], False, ["the cluster does not know NamespaceIsolation (no CRD): no isolation is there yet"]),
    ],
    ids=["new", "there", "another one deleted", "deleted", "no CRD"],
)
def test_what_the_cluster_has_that_one_would_not_expect(
    there: Iterable[Isolation],
    known: bool,  # noqa: FBT001
    remarks: list[str],
) -> None:
    """Only what concerns the files."""
    background = Background(isolations={each.name: each for each in there}, has_resource=known)
    assert list(remarks_on_background(_inputs(isolation()), background)) == remarks


def test_policies_of_others_are_named_with_what_they_allow_and_why_they_stay() -> None:
    """A line each."""
    one = Unmanaged(namespace="a", policy="x", widens=("Ingress", "Egress"), wide_open=("Egress",))
    other = Unmanaged(namespace="a", policy="y", widens=("Ingress",), wide_open=(), kept="another controller owns it")
    first, second = remarks_on_unmanaged([one, other])
    assert first == (
        "a/x belongs to no isolation and allows Ingress and Egress that is denied by default, every peer on every port "
        "for Egress"
    )
    assert second == (
        "a/y belongs to no isolation and allows Ingress that is denied by default; it is not removed, because another "
        "controller owns it"
    )


def test_of_many_policies_the_first_are_named_and_the_rest_counted() -> None:
    """Thousands would hide everything else."""
    found = [Unmanaged(namespace="a", policy=f"x{each}", widens=("Ingress",), wide_open=()) for each in range(25)]
    remarks = list(remarks_on_unmanaged(found))
    assert (len(remarks), remarks[-1]) == (21, "… and 5 more policies like these")


@pytest.mark.parametrize(("wanted", "then"), [(True, "comes back once it is gone"), (False, "works until then")])
def test_a_policy_that_a_finalizer_holds(wanted: bool, then: str) -> None:  # noqa: FBT001
    """Deleted and still at work."""
    step = Wait(live=live_from(policy("team.x")), isolation="team", why=Why.EXTRA, wanted=wanted)
    assert list(remarks_on_waiting(step)) == [f"payments/team.x is deleted, held by a finalizer, and {then}"]
