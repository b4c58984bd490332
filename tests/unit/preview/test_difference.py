"""What would change if files were applied: of their isolations everything, of others what is due to the files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import Page
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import FIELD_MANAGER
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.plan import Wait, Why
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.observe.served_policy import policies_path
from namespace_isolation.preview.cast import Background
from namespace_isolation.preview.change import NOT_YET_KNOWN, Action, Change
from namespace_isolation.preview.difference import Comparison, Finding, differences
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.namespaces import make_namespace
from namespace_isolation.preview.survey import read_background
from tests.support.objects import (
    NAMESPACE,
    PROTECTED,
    desired_in,
    foreign_document,
    frozen,
    isolation,
    isolation_document,
    namespace,
    namespace_document,
    stored,
    view,
)
from tests.support.served import page_of
from tests.support.strategies import specs

Json = dict[str, Any]

_DENY, _DNS = "team.default-deny-all", "team.allow-dns-egress"


class _Cluster:
    """Lists in pages of two what it is given, by path, and counts the requests."""

    def __init__(self, policies: Iterable[Json] = (), refusal: int = 404, **lists: Iterable[Json]) -> None:
        self.refusal = refusal
        self.policies = list(policies)
        self.lists = {path: list(items) for path, items in lists.items()}
        self.asked: list[str] = []

    async def pages(self, path: str) -> AsyncIterator[Page]:
        self.asked.append(path)
        kind = path.rpartition("/")[2]
        if kind not in self.lists and kind != "networkpolicies":
            raise ApiError(status=self.refusal, reason="Refused", message="", request=f"GET {path}")
        items = self.lists.get(kind, self.policies)
        if "/namespaces/" in path:
            items = [each for each in items if path == policies_path(each["metadata"]["namespace"])]
        for start in range(0, max(1, len(items)), 2):
            yield page_of(items[start : start + 2])


async def _differences(
    given: Iterable[Isolation] = (),
    *,
    there: Iterable[Isolation] = (),
    namespaces: Iterable[Namespace] = (),
    given_namespaces: Iterable[Namespace] = (),
    cluster: _Cluster | None = None,
    live: Iterable[Json] = (),
) -> list[Finding]:
    inputs = Inputs(
        isolations={each.name: each for each in given},
        namespaces={each.name: each for each in given_namespaces},
        passed_over={},
    )
    background = Background(
        isolations={each.name: each for each in there},
        namespaces={each.name: each for each in (namespaces or [namespace()])},
    )
    comparison = Comparison(inputs, background, PROTECTED)
    client = cast("Client", cluster or _Cluster(live))
    return [each async for each in differences(client, comparison, lambda _: None)]


def _in_place(*isolations: Isolation, without: Iterable[str] = ()) -> list[Json]:
    """Give the policies of these isolations as served."""
    desired = desired_in(view(*isolations))
    return [stored(policy.manifest(NAMESPACE)) for name, policy in desired.items() if name not in without]


def _told(findings: Iterable[Finding]) -> list[tuple[str, str, Why]]:
    changes = [each for each in findings if isinstance(each, Change)]
    assert changes == list(findings)
    return [(each.policy, each.action, each.why) for each in changes]


async def test_a_resource_that_is_not_there_yet_creates_everything_in_a_safe_order() -> None:
    """Also in a cluster that has nothing of it; its uid is yet to come."""
    found = await _differences([isolation()])
    assert _told(found) == [(_DNS, Action.CREATE, Why.WANTED), (_DENY, Action.CREATE, Why.WANTED)]
    for change in found:
        assert isinstance(change, Change)
        assert change.live is None
        assert change.wanted is not None
        assert change.wanted["metadata"]["ownerReferences"][0]["uid"] == NOT_YET_KNOWN


async def test_what_is_in_place_is_no_difference_and_costs_one_list() -> None:
    """Only the one list of all policies is asked for."""
    cluster = _Cluster(_in_place(isolation()))
    assert await _differences([isolation()], there=[isolation()], cluster=cluster) == []
    assert cluster.asked == [policies_path()]


async def test_an_entry_more_is_a_creation_and_an_edited_one_an_update_with_its_fields() -> None:
    """Both sides are there, as written and as they would be written, without what only the API server sets."""
    remote: list[Json] = [{"namespaceSelector": {}}]
    flow = {"name": "web", "to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "from": remote}
    before = isolation(allow=[{**flow, "ports": [{"port": 80}]}])
    more = {"name": "more", "to": [{"podSelector": {}}], "from": remote}
    after = isolation(allow=[{**flow, "ports": [{"port": 81}]}, more])
    found = await _differences([after], there=[before], live=_in_place(before))
    assert _told(found) == [
        ("team.allow-more-ingress", Action.CREATE, Why.WANTED),
        ("team.allow-web-ingress", Action.UPDATE, Why.OUTDATED),
    ]
    update = found[1]
    assert isinstance(update, Change)
    assert update.fields == ("spec.ingress", "metadata.annotations[nsiso.dev/hash]")
    assert update.live is not None
    assert update.wanted is not None
    assert update.wanted["spec"]["ingress"][0]["ports"] == [{"port": 81, "protocol": "TCP"}]
    for side in (update.live, update.wanted):
        assert side["metadata"].keys() == {"name", "namespace", "labels", "annotations", "ownerReferences"}


async def test_an_entry_less_is_a_removal() -> None:
    """It is our own work that is no longer wanted."""
    found = await _differences([isolation(dns={"enabled": False})], there=[isolation()], live=_in_place(isolation()))
    assert _told(found) == [(_DNS, Action.DELETE, Why.UNWANTED)]
    assert isinstance(found[0], Change)
    assert found[0].wanted is None


async def test_drift_shows_as_the_repair_and_keeps_what_is_foreign() -> None:
    """Labels of others are on both sides, the opened rule on one."""
    deny, dns = sorted(_in_place(isolation()), key=lambda each: each["metadata"]["name"], reverse=True)
    deny["spec"] |= {"egress": [{}]}
    deny["metadata"]["labels"] |= {"team": "theirs"}
    deny["metadata"]["managedFields"] = [{"manager": FIELD_MANAGER}]
    (found,) = await _differences([isolation()], there=[isolation()], live=[deny, dns])
    assert isinstance(found, Change)
    assert (found.policy, found.action, found.why) == (_DENY, Action.UPDATE, Why.MODIFIED)
    assert found.fields == ("spec.egress",)
    assert found.live is not None
    assert found.wanted is not None
    assert found.live == {**found.wanted, "spec": {**found.wanted["spec"], "egress": [{}]}}
    assert found.wanted["metadata"]["labels"]["team"] == "theirs"


async def test_a_namespace_that_is_no_longer_selected_loses_its_policies() -> None:
    """It is concerned because the resource in the cluster selects it."""
    elsewhere = isolation(namespaces={"names": ["elsewhere"]})
    found = await _differences([elsewhere], there=[isolation()], live=_in_place(isolation()))
    assert _told(found) == [(_DENY, Action.DELETE, Why.UNWANTED), (_DNS, Action.DELETE, Why.UNWANTED)]


async def test_what_was_left_behind_elsewhere_is_found() -> None:
    """A policy that claims to be of the isolation shows though nothing selects its namespace."""
    nowhere = isolation(namespaces={"names": ["nowhere"]})
    cluster = _Cluster([foreign_document("own"), *_in_place(isolation(), without=[_DNS])])
    found = await _differences([nowhere], there=[nowhere], cluster=cluster)
    assert _told(found) == [(_DENY, Action.DELETE, Why.UNWANTED)]


async def test_audit_counts_as_enforce_for_the_files_only() -> None:
    """What another isolation in Audit would do is no news."""
    other = isolation("other", mode="Audit")
    found = await _differences([isolation(mode="Audit")], there=[other])
    assert _told(found) == [(_DNS, Action.CREATE, Why.WANTED), (_DENY, Action.CREATE, Why.WANTED)]


async def test_what_others_need_because_of_the_files_is_shown() -> None:
    """A denial of egress makes another isolation's DNS policy necessary."""
    inwards = isolation("in", defaultDeny=["Ingress"])
    outwards = isolation("out", defaultDeny=["Egress"], dns={"enabled": False})
    found = await _differences([outwards], there=[inwards], live=_in_place(inwards))
    assert _told(found) == [
        ("in.allow-dns-egress", Action.CREATE, Why.WANTED),
        ("out.default-deny-egress", Action.CREATE, Why.WANTED),
    ]


async def test_what_is_due_for_others_anyway_is_not_shown() -> None:
    """The drift of another isolation is not the files' doing; that of their own is."""
    other = isolation("other")
    live = _in_place(isolation(), other, without=["other.allow-dns-egress"])
    assert await _differences([isolation()], there=[isolation(), other], live=live) == []


async def test_a_new_namespace_among_the_files_counts_for_every_isolation() -> None:
    """A namespace with the label of another isolation gets that one's policies as well."""
    tenants = isolation("tenants", namespaces={"selector": {"matchLabels": {"team": "a"}}}, defaultDeny=["Ingress"])
    given = [make_namespace("fresh", {"team": "a"})]
    found = await _differences(there=[tenants], given_namespaces=given)
    assert _told(found) == [("tenants.default-deny-ingress", Action.CREATE, Why.WANTED)]


async def test_a_namespace_among_the_files_adds_its_labels_to_those_it_has() -> None:
    """As `kubectl apply` would; so it still matches what it matched, and more."""
    one = isolation("one", namespaces={"selector": {"matchLabels": {"a": "1"}}}, defaultDeny=["Ingress"])
    other = isolation("other", namespaces={"selector": {"matchLabels": {"b": "1"}}}, defaultDeny=["Ingress"])
    found = await _differences(
        there=[one, other],
        namespaces=[namespace(labels={"a": "1"})],
        given_namespaces=[make_namespace(NAMESPACE, {"b": "1"})],
        live=_in_place(one),
    )
    assert _told(found) == [("other.default-deny-ingress", Action.CREATE, Why.WANTED)]


async def test_what_was_not_accepted_in_the_cluster_is_put_right_by_the_files() -> None:
    """The resource there froze everything; the one in the files does not."""
    found = await _differences([isolation()], there=[frozen("team")], live=_in_place(isolation(), without=[_DNS]))
    assert _told(found) == [(_DNS, Action.CREATE, Why.WANTED)]


async def test_policies_of_an_earlier_resource_of_the_name_get_the_new_owner() -> None:
    """The uid that is to come is another one, so the ownerReference changes in any case."""
    found = await _differences([isolation()], live=_in_place(isolation(), without=[_DNS]))
    assert _told(found) == [(_DNS, Action.CREATE, Why.WANTED), (_DENY, Action.UPDATE, Why.OUTDATED)]
    assert isinstance(found[1], Change)
    assert found[1].fields == ("metadata.ownerReferences",)


async def test_a_policy_of_others_that_is_to_go_shows_as_a_removal() -> None:
    """unmanagedPolicies: Remove takes away what widens."""
    given = isolation(unmanagedPolicies="Remove")
    found = await _differences([given], there=[given], live=[*_in_place(given), foreign_document("open")])
    assert _told(found) == [("open", Action.DELETE, Why.UNMANAGED)]


async def test_a_policy_of_others_that_widens_and_stays_is_told() -> None:
    """It is no difference, and yet the namespace is not closed."""
    found = await _differences(
        [isolation()], there=[isolation()], live=[*_in_place(isolation()), foreign_document("open")]
    )
    assert found == [Unmanaged(namespace=NAMESPACE, policy="open", widens=("Ingress",), wide_open=("Ingress",))]


async def test_a_policy_that_a_finalizer_holds_is_told_and_is_no_difference() -> None:
    """It was deleted already."""
    deny, dns = sorted(_in_place(isolation()), key=lambda each: each["metadata"]["name"], reverse=True)
    dns["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    without = isolation(dns={"enabled": False})
    (found,) = await _differences([without], there=[without], live=[deny, dns])
    assert isinstance(found, Wait)
    assert (found.name, found.wanted) == (_DNS, False)


@given(before=specs(st.just({"names": [NAMESPACE]})), after=specs(st.just({"names": [NAMESPACE]})))
def test_what_is_foretold_leads_to_what_is_the_same(before: Json, after: Json) -> None:
    """Once every change is carried out as it is shown, nothing differs."""
    there, given_now = isolation(**before), isolation(**after)
    live = {each["metadata"]["name"]: each for each in [*_in_place(there), foreign_document("own")]}
    for finding in asyncio.run(_differences([given_now], there=[there], live=live.values())):
        if not isinstance(finding, Change):
            continue
        live.pop(finding.policy, None)
        if finding.wanted is not None:
            live[finding.policy] = stored(finding.wanted)
    found = asyncio.run(_differences([given_now], there=[given_now], live=live.values()))
    assert [each for each in found if isinstance(each, Change)] == []


async def test_only_namespaces_in_which_something_is_to_be_done_are_read_whole() -> None:
    """Two of three are as they should be."""
    whole = isolation(namespaces={"names": ["*"]}, dns={"enabled": False})
    spaces = [namespace(each) for each in ("a", "b", "c")]
    deny = desired_in(view(whole))[_DENY]
    cluster = _Cluster([stored(deny.manifest(each)) for each in ("a", "c")])
    found = await _differences([whole], there=[whole], namespaces=spaces, cluster=cluster)
    assert [(each.namespace, each.policy) for each in found if isinstance(each, Change)] == [("b", _DENY)]
    assert cluster.asked == [policies_path(), policies_path("b")]


@pytest.mark.parametrize("known", [True, False])
async def test_a_cluster_without_the_resource_has_no_isolations(known: bool) -> None:  # noqa: FBT001
    """A missing CRD is an answer, not an error."""
    told: list[str] = []
    cluster = _Cluster(namespaces=[namespace_document(f"n{each}") for each in range(3)])
    if known:
        cluster.lists["namespaceisolations"] = [isolation_document()]
    background = await read_background(cast("Client", cluster), told.append)
    assert (background.has_resource, list(background.isolations)) == (known, ["team"] if known else [])
    assert list(background.namespaces) == ["n0", "n1", "n2"]
    assert told[-2:] == ["reading namespaces: 2", "reading namespaces: 3"]


async def test_another_refusal_is_an_error() -> None:
    """Whoever may not list isolations must not be told that there are none."""
    with pytest.raises(ApiError, match="403"):
        await read_background(cast("Client", _Cluster(refusal=403)), lambda _: None)
