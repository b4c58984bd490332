"""The order of writes in a namespace, recorded from the API server's watch: never a gap, never a cut flow."""

from __future__ import annotations

import pytest

from namespace_isolation.observe.isolations import isolation_path
from tests.support.stage import Stage, condition, flow, standard
from tests.support.watching import Event, Json

pytestmark = pytest.mark.usefixtures("operator")


def _flow(name: str, port: int = 8080) -> Json:
    return {
        "name": name,
        "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
        "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
        "ports": [{"port": port}],
    }


_SCRAPE = {
    "name": "prometheus",
    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}],
    "ports": [{"port": 9090}],
}
_SOME_PODS = frozenset(
    {"allow-one-ingress", "allow-one-egress", "allow-two-ingress", "allow-two-egress", "allow-pay-egress"}
)
_EVERY_POD = frozenset({"allow-prometheus-ingress", "allow-dns-egress"})
_DENY = frozenset({"default-deny-all"})
_REMOVED_FIRST = (_DENY, _EVERY_POD, _SOME_PODS)
_PAY = {
    "name": "pay",
    "from": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
}


def _steps(events: list[Event], sizes: list[int]) -> list[tuple[set[str], frozenset[str]]]:
    """Cut recorded events into steps of these sizes: kinds, and names without the isolation."""
    assert len(events) == sum(sizes), [str(event) for event in events]
    rest = iter(events)
    chunks = [[next(rest) for _ in range(size)] for size in sizes]
    return [
        ({event.kind for event in chunk}, frozenset(event.name.partition(".")[2] for event in chunk))
        for chunk in chunks
    ]


async def test_first_isolation_and_removal(stage: Stage) -> None:
    """Allows for some pods, then those for every pod, deny last; on deletion the reverse, then the resource goes."""
    namespace = await stage.namespace()
    async with stage.policies(namespace) as watch, stage.isolations() as isolations:
        spec = {"namespaces": {"names": [namespace]}, "allow": [_flow("one"), _SCRAPE, _flow("two"), _PAY]}
        isolation = await stage.isolation(spec)
        await watch.until(lambda state: len(state) == 8, what="eight policies")
        sizes = [len(_SOME_PODS), len(_EVERY_POD), len(_DENY)]
        assert _steps(watch.events, sizes) == [
            ({"ADDED"}, _SOME_PODS),
            ({"ADDED"}, _EVERY_POD),
            ({"ADDED"}, _DENY),
        ]
        await stage.converged(isolation)
        since = len(watch.events)
        await stage.admin.delete(isolation_path(isolation))
        gone = await isolations.event(lambda event: event.kind == "DELETED" and event.name == isolation)
        await watch.until(lambda state: not state, what="no policy")
    assert _steps(watch.events[since:], sizes[::-1]) == [
        ({"DELETED"}, _DENY),
        ({"DELETED"}, _EVERY_POD),
        ({"DELETED"}, _SOME_PODS),
    ]
    assert _version(gone) > _version(watch.events[-1])


async def test_the_finalizer_is_there_before_ready(stage: Stage) -> None:
    """Once the resource is Ready, its deletion waits for the operator: the finalizer is there by then."""
    namespace = await stage.namespace()
    async with stage.isolations() as isolations:
        isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
        ready = await isolations.event(
            lambda event: (
                event.name == isolation
                and condition(event.document.get("status") or {}, "Ready").get("status") == "True"
            )
        )
    assert "nsiso.dev/policies" in ready.document["metadata"]["finalizers"]


async def test_a_resource_deleted_while_it_isolates_goes_in_order(stage: Stage) -> None:
    """Deleted as soon as it holds on, whatever was written by then is removed in the safe order, too."""
    namespace = await stage.namespace()
    async with stage.policies(namespace) as watch, stage.isolations() as isolations:
        spec = {"namespaces": {"names": [namespace]}, "allow": [_flow("one"), _SCRAPE, _flow("two"), _PAY]}
        isolation = await stage.isolation(spec)
        await isolations.event(
            lambda event: event.name == isolation and "finalizers" in event.document["metadata"], what="the finalizer"
        )
        await stage.admin.delete(isolation_path(isolation))
        await isolations.until(lambda state: isolation not in state, what="the isolation gone")
        await stage.barrier()
        assert watch.state == {}
        removed = [event.name.partition(".")[2] for event in watch.events if event.kind == "DELETED"]
    ranks = [_REMOVED_FIRST.index(next(names for names in _REMOVED_FIRST if name in names)) for name in removed]
    assert ranks == sorted(ranks), removed


async def test_an_edit_adds_before_it_removes(stage: Stage) -> None:
    """One entry added, one renamed, one removed: the new policies are all there before an old one goes."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(
        {"namespaces": {"names": [namespace]}, "allow": [_flow("kept"), _flow("old", 5432), _flow("gone", 9000)]}
    )
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        await stage.edit(isolation, {"allow": [_flow("kept"), _flow("new", 5432), _flow("more", 6379)]})
        await stage.until_exact(namespace, isolation)
        kinds = ["ADDED"] * 4 + ["DELETED"] * 4
        await watch.until(lambda _: len(watch.events) >= len(kinds), what="eight events")
        assert [event.kind for event in watch.events] == kinds
        names = {event.name for event in watch.events[:4]}
        assert names == flow(isolation, "new") | flow(isolation, "more")
    status = await stage.converged(isolation)
    assert status["drift"]["corrected"] == 0


async def test_a_changed_entry_is_changed_in_place(stage: Stage) -> None:
    """Another port changes the two policies of the entry and nothing else; they stay the same objects."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(
        {"namespaces": {"names": [namespace]}, "allow": [_flow("kept"), _flow("other", 5432)]}
    )
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        await stage.edit(isolation, {"allow": [_flow("kept"), _flow("other", 5433)]})
        await stage.until_exact(namespace, isolation)
        await stage.converged(isolation)
        assert set(watch.kinds()) == {("MODIFIED", name) for name in flow(isolation, "other")}
        assert len(watch.events) == 2
    status = await stage.status(isolation)
    assert status["drift"]["corrected"] == 0


async def test_a_denial_that_is_widened_leaves_no_gap(stage: Stage) -> None:
    """From ingress to both directions: dns first, then the wider denial, and only then the narrower one goes."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "defaultDeny": ["Ingress"]})
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        await stage.edit(isolation, {"defaultDeny": ["Ingress", "Egress"]})
        await watch.until(lambda state: state.keys() == standard(isolation), what="the wider denial")
    assert watch.kinds() == [
        ("ADDED", f"{isolation}.allow-dns-egress"),
        ("ADDED", f"{isolation}.default-deny-all"),
        ("DELETED", f"{isolation}.default-deny-ingress"),
    ]


async def test_a_denial_that_is_lifted_goes_before_what_it_needed(stage: Stage) -> None:
    """From both directions to none: the denial first, then allow-dns-egress, which alone would cut all else."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        await stage.edit(isolation, {"defaultDeny": []})
        await watch.until(lambda state: not state, what="no policy")
    assert watch.kinds() == [
        ("DELETED", f"{isolation}.default-deny-all"),
        ("DELETED", f"{isolation}.allow-dns-egress"),
    ]


def _version(event: Event) -> int:
    return int(event.document["metadata"]["resourceVersion"])
