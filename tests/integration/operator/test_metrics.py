"""What /metrics, /healthz and /readyz of a running operator say, held against what happened in the cluster."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.metrics import Scrape, ask, scrape
from tests.support.operator import OPERATOR_USER, Operator, operator_kubeconfig
from tests.support.proxy import Proxy, proxy_to
from tests.support.stage import EDITOR, Stage, condition
from tests.support.watching import DEADLINE, Event, Json

_TYPES = {
    "nsiso_isolations": "gauge",
    "nsiso_namespaces": "gauge",
    "nsiso_policies": "gauge",
    "nsiso_drift_total": "counter",
    "nsiso_drift_outstanding": "gauge",
    "nsiso_unmanaged_policies": "gauge",
    "nsiso_fights": "gauge",
    "nsiso_reconcile_duration_seconds": "histogram",
    "nsiso_time_to_isolation_seconds": "histogram",
    "nsiso_queue_depth": "gauge",
    "nsiso_api_requests_total": "counter",
    "nsiso_api_requests_in_flight": "gauge",
    "nsiso_api_requests_in_flight_limit": "gauge",
    "nsiso_api_throttled_seconds_total": "counter",
    "nsiso_relists_total": "counter",
    "nsiso_status_writes_total": "counter",
    "nsiso_events_total": "counter",
    "nsiso_leader": "gauge",
    "nsiso_build_info": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_resident_memory_bytes": "gauge",
    "process_open_fds": "gauge",
}
_LABELS = {
    "mode": {"Enforce", "Audit", "NotAccepted"},
    "ready": {"True", "False", "Unknown"},
    "state": {"matched", "in_sync", "drifted", "failed", "desired", "in_place"},
    "kind": {"Modified", "Deleted", "Extra"},
    "action": {"Corrected", "Reported", "Failed"},
    "direction": {"Ingress", "Egress"},
    "wide_open": {"true", "false"},
    "queue": {"namespaces", "isolations"},
    "lane": {"urgent", "bulk", "later"},
    "verb": {"get", "list", "watch", "create", "update", "patch", "delete"},
    "collection": {"namespaces", "networkpolicies", "namespaceisolations"},
}
"""Every label but `result`, `code`, `le` and those of the build, with all the values that it may have."""
_MOST_SERIES = 200
_VERBS = {"create", "update", "patch", "delete"}


async def _until(operator: Operator, holds: Callable[[Scrape], bool], what: str, within: float = DEADLINE) -> Scrape:
    """Scrape until something holds, and give that scrape; gauges follow the cluster and nothing tells when."""
    found = await scrape(operator)
    try:
        async with asyncio.timeout(within):
            while not holds(found):
                found = await scrape(operator)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {within} s\n{found.text}") from None
    return found


async def test_everything_is_served_with_help_and_type(operator: Operator) -> None:
    """In the text format, and in OpenMetrics, whose parser is the stricter one."""
    text = (await scrape(operator)).text
    lines = text.splitlines()
    for name, kind in _TYPES.items():
        assert f"# TYPE {name} {kind}" in lines
        (helped,) = (line for line in lines if line.startswith(f"# HELP {name} "))
        assert len(helped.split()) > 6, helped
    assert {line.split()[2] for line in lines if line.startswith("# TYPE nsiso_")} <= _TYPES.keys()
    strict = await scrape(operator, openmetrics=True)
    assert strict.value("nsiso_leader") == 1


async def test_labels_are_few(stage: Stage, operator: Operator) -> None:
    """No label has a value that users make up, so the number of series does not grow with the cluster."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    await stage.admin.delete(policies_path(namespace, f"{isolation}.default-deny-all"))
    await stage.until_status(isolation, lambda status: status["drift"]["corrected"] == 1)
    found = await scrape(operator)
    assert stage.name not in found.text
    assert EDITOR not in found.text
    series = found.series()
    assert len(series) < _MOST_SERIES
    for name, labels in series:
        for label, value in labels.items():
            assert value in _LABELS.get(label, {value}), (name, labels)
            assert label in {*_LABELS, "result", "code", "le"} or name == "nsiso_build_info", (name, labels)


@pytest.mark.sandbox_only
async def test_the_numbers_are_what_happened(
    cluster: Cluster, stage: Stage, stopped_operator: Operator, tmp_path: Path
) -> None:
    """Namespaces come, a policy goes, one is edited, one widens, a quota refuses, the way to the cluster breaks."""
    operator = stopped_operator
    async with proxy_to(cluster.own_sandbox().server) as proxy:
        operator.start(kubeconfig=operator_kubeconfig(cluster, tmp_path / "kubeconfig", server=proxy.url))
        await operator.ready()
        position = cluster.audit_position()
        before = await scrape(operator)
        labels = {stage.name: "yes"}
        isolation = await stage.isolation({"namespaces": {"selector": {"matchLabels": labels}}})
        await stage.converged(isolation, matched=0)
        one, other = [await stage.namespace(each, labels=labels) for each in ("one", "other")]
        await stage.converged(isolation, matched=2)
        await _expect(operator, before, _ISOLATED)

        await stage.admin.delete(policies_path(one, f"{isolation}.default-deny-all"))
        await stage.until_status(isolation, lambda status: status["drift"]["corrected"] == 1)
        await stage.patch_policy(other, f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
        await stage.until_status(isolation, lambda status: status["drift"]["corrected"] == 2)
        await _expect(operator, before, _REPAIRED)

        foreign = {"metadata": {"name": "allow-all"}, "spec": {"podSelector": {}, "ingress": [{}]}}
        await stage.admin.create(policies_path(one), foreign)
        await _expect(operator, before, {("nsiso_unmanaged_policies", "Ingress true"): 1})

        await _refuse_policies(stage, failing := await stage.namespace("failing"))
        await stage.label(failing, **labels)
        await stage.until_status(isolation, lambda status: status["namespaces"]["failed"] == 1)
        await _expect(operator, before, _FAILING)
        await _let_policies_in(stage, failing)
        await stage.converged(isolation, matched=3, within=30)

        await _until(
            operator,
            lambda now: _counted_writes(now, before) == _audited_writes(cluster, position),
            "the writes that the API server has",
        )
        await _cut_until_lists_are_due(operator, proxy)
        after = await _expect(operator, before, _AT_LAST)
        assert _sum(after, before, "nsiso_api_requests_total", code="none") > 0
        seconds = _sum(after, before, "nsiso_time_to_isolation_seconds_sum")
        assert 0 < seconds < 2 * DEADLINE
        assert stage.name not in after.text
        assert await operator.stop() == 0


_ISOLATED = {
    ("nsiso_isolations", "Enforce True"): 1,
    ("nsiso_namespaces", "Enforce matched"): 2,
    ("nsiso_namespaces", "Enforce in_sync"): 2,
    ("nsiso_policies", "Enforce desired"): 4,
    ("nsiso_policies", "Enforce in_place"): 4,
    ("nsiso_time_to_isolation_seconds_count", ""): 2,
    ("nsiso_drift_total", ""): 0,
    ("nsiso_fights", ""): 0,
    ("nsiso_unmanaged_policies", ""): 0,
}
_REPAIRED = {
    **_ISOLATED,
    ("nsiso_drift_total", ""): 2,
    ("nsiso_drift_total", "Deleted Corrected"): 1,
    ("nsiso_drift_total", "Modified Corrected"): 1,
    ("nsiso_drift_outstanding", ""): 0,
    ("nsiso_reconcile_duration_seconds_count", "failed"): 0,
    ("nsiso_relists_total", ""): 0,
}
_FAILING = {
    ("nsiso_isolations", "Enforce True"): 0,
    ("nsiso_isolations", "Enforce False"): 1,
    ("nsiso_namespaces", "Enforce matched"): 3,
    ("nsiso_namespaces", "Enforce in_sync"): 2,
    ("nsiso_namespaces", "Enforce failed"): 1,
    ("nsiso_namespaces", "Enforce drifted"): 0,
    ("nsiso_policies", "Enforce desired"): 6,
    ("nsiso_policies", "Enforce in_place"): 4,
}
_AT_LAST = {
    ("nsiso_isolations", "Enforce True"): 1,
    ("nsiso_namespaces", "Enforce matched"): 3,
    ("nsiso_namespaces", "Enforce in_sync"): 3,
    ("nsiso_namespaces", "Enforce failed"): 0,
    ("nsiso_policies", "Enforce desired"): 6,
    ("nsiso_policies", "Enforce in_place"): 6,
    ("nsiso_drift_total", ""): 2,
    ("nsiso_drift_outstanding", ""): 0,
    ("nsiso_unmanaged_policies", "Ingress true"): 1,
    ("nsiso_time_to_isolation_seconds_count", ""): 2,
    ("nsiso_relists_total", "namespaces"): 1,
    ("nsiso_relists_total", "networkpolicies"): 1,
    ("nsiso_relists_total", "namespaceisolations"): 2,
    ("nsiso_queue_depth", ""): 0,
    ("nsiso_events_total", "dropped"): 0,
}
"""By name, and by some values of labels: how much more it is than before the test."""


async def _expect(operator: Operator, before: Scrape, wanted: dict[tuple[str, str], int]) -> Scrape:
    """Wait until every number differs from before by so much."""

    def differences(now: Scrape) -> dict[tuple[str, str], float]:
        return {key: _of(now, *key) - _of(before, *key) for key in wanted}

    try:
        return await _until(operator, lambda now: differences(now) == wanted, "the numbers")
    except AssertionError:
        assert differences(await scrape(operator)) == wanted
        raise


def _of(found: Scrape, name: str, values: str) -> float:
    wanted = set(values.split())
    return sum(
        sample.value
        for family in found.families.values()
        for sample in family.samples
        if sample.name == name and wanted <= set(sample.labels.values())
    )


def _sum(after: Scrape, before: Scrape, name: str, **labels: str) -> float:
    return after.value(name, **labels) - before.value(name, **labels)


async def _refuse_policies(stage: Stage, namespace: str) -> None:
    """Let a quota refuse every policy in a namespace."""
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    none: Json = {"count/networkpolicies.networking.k8s.io": "0"}
    await stage.admin.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": none}})
    await stage.admin.patch(f"{quotas}/none/status", {"status": {"hard": none, "used": none}})


async def _let_policies_in(stage: Stage, namespace: str) -> None:
    await stage.admin.delete(f"/api/v1/namespaces/{namespace}/resourcequotas/none")


async def _cut_until_lists_are_due(operator: Operator, proxy: Proxy) -> None:
    """Break the way to the cluster for so long that both watches give up going on, and mend it."""
    since = operator.mark()
    proxy.cut()
    for path in ("/api/v1/namespaces", policies_path()):
        await _lists_again(operator, path, since)
    proxy.mend()


async def _lists_again(operator: Operator, path: str, since: int) -> None:
    """Wait for the line that says that a watch will list again."""
    position = since
    while True:
        line = await operator.logged("watch interrupted", since=position, lists_again=True)
        position = operator.lines.index(line, position) + 1
        if f" {path}:" in str(line.fields["error"]):
            return


def _counted_writes(after: Scrape, before: Scrape) -> Counter[tuple[str, str]]:
    """Count the answered writes by verb and code."""
    found: Counter[tuple[str, str]] = Counter()
    for name, labels in after.series():
        verb, code = labels.get("verb", ""), labels.get("code", "")
        if name == "nsiso_api_requests_total" and verb in _VERBS and code != "none":
            found[verb, code] += int(_sum(after, before, name, verb=verb, code=code))
    return +found


def _audited_writes(cluster: Cluster, position: int) -> Counter[tuple[str, str]]:
    """Count the operator's writes as the API server has them."""
    events = cluster.audited_writes(position, user=OPERATOR_USER)
    return Counter((event["verb"], str(event["responseStatus"]["code"])) for event in events)


async def test_a_scrape_while_converging_is_consistent(stage: Stage, operator: Operator) -> None:
    """Numbers grow towards the end, and nothing in place is more than what is desired."""
    labels = {stage.name: "yes"}
    await asyncio.gather(*(stage.namespace(f"ns-{index}", labels=labels) for index in range(100)))
    await stage.barrier()
    before = await scrape(operator)
    seen: list[tuple[float, ...]] = []

    def done(now: Scrape) -> bool:
        states = {each: _sum(now, before, "nsiso_namespaces", state=each) for each in ("matched", "in_sync")}
        policies = {each: _sum(now, before, "nsiso_policies", state=each) for each in ("desired", "in_place")}
        seen.append((states["in_sync"], policies["in_place"]))
        assert 0 <= states["in_sync"] <= states["matched"] <= 100
        assert 0 <= policies["in_place"] <= policies["desired"] <= 200
        return states["in_sync"] == 100

    await stage.isolation({"namespaces": {"selector": {"matchLabels": labels}}})
    await _until(operator, done, "100 namespaces in sync", within=30)
    assert seen == sorted(seen)
    assert seen[-1] == (100, 200)


async def test_what_audit_would_do_is_no_backlog_of_what_is_enforced(stage: Stage, operator: Operator) -> None:
    """Its numbers are under its own mode, so that an alert on Enforce stays quiet."""
    namespace = await stage.namespace()
    before = await scrape(operator)
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "mode": "Audit"})
    await stage.until_status(isolation, lambda status: condition(status, "Ready")["reason"] == "Audit")
    await _expect(
        operator,
        before,
        {
            ("nsiso_isolations", "Audit True"): 1,
            ("nsiso_isolations", "Enforce"): 0,
            ("nsiso_namespaces", "Audit matched"): 1,
            ("nsiso_namespaces", "Audit in_sync"): 0,
            ("nsiso_namespaces", "Enforce"): 0,
            ("nsiso_policies", "Audit desired"): 2,
            ("nsiso_policies", "Audit in_place"): 0,
            ("nsiso_policies", "Enforce"): 0,
        },
    )


async def test_a_fight_is_counted_and_told_once(stage: Stage, operator: Operator) -> None:
    """Five repairs of one policy in quick succession are five drifts and one fight."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    before, since, denial = await scrape(operator), operator.mark(), f"{isolation}.default-deny-all"
    async with stage.policies(namespace) as watch:
        for _ in range(5):
            edited = await stage.patch_policy(namespace, denial, {"spec": {"egress": [{}]}})
            version: int = edited["metadata"]["generation"]
            await watch.event(partial(_is_later, denial, version), what=f"a repair of generation {version}")
    await _expect(
        operator,
        before,
        {
            ("nsiso_fights", ""): 1,
            ("nsiso_drift_total", "Modified Corrected"): 5,
            ("nsiso_namespaces", "Enforce failed"): 1,
            ("nsiso_isolations", "Enforce False"): 1,
        },
    )
    # What waits for its time is not told again, however often somebody wakes the namespace.
    await stage.patch_policy(namespace, denial, {"spec": {"egress": [{}]}})
    await stage.barrier()
    told = [line for line in operator.lines[since:] if line.event.startswith("fight") and line.level == "warning"]
    assert [(line.fields["policy"], line.fields["rounds"]) for line in told] == [(denial, 5)]


def _is_later(name: str, generation: int, event: Event) -> bool:
    return event.name == name and event.document["metadata"]["generation"] > generation


@pytest.mark.sandbox_only
async def test_without_a_way_to_the_cluster_it_is_not_ready(
    cluster: Cluster, stopped_operator: Operator, tmp_path: Path
) -> None:
    """Each cache that is missing is named; being cut off for a moment is no reason for a restart."""
    async with proxy_to(cluster.own_sandbox().server) as proxy:
        proxy.cut()
        stopped_operator.start(kubeconfig=operator_kubeconfig(cluster, tmp_path / "kubeconfig", server=proxy.url))
        await stopped_operator.logged("cannot list isolations")
        code, text = await ask(stopped_operator, "readyz")
        assert code == 503
        for collection in _LABELS["collection"]:
            assert f"[-]cache {collection} failed: not listed yet" in text
        assert await ask(stopped_operator, "healthz") == (200, "ok\n")
        proxy.mend()
        await stopped_operator.ready()
        assert await ask(stopped_operator, "readyz") == (200, "ok\n")
        assert await stopped_operator.stop() == 0


@pytest.mark.sandbox_only
async def test_cut_off_for_too_long_it_is_not_healthy(
    cluster: Cluster, stopped_operator: Operator, tmp_path: Path
) -> None:
    """Each collection of which nothing is heard is named; the operator stays ready, and well again with the way."""
    async with proxy_to(cluster.own_sandbox().server) as proxy:
        through = operator_kubeconfig(cluster, tmp_path / "kubeconfig", server=proxy.url)
        stopped_operator.start("--contact-limit=4", kubeconfig=through)
        await stopped_operator.ready()
        assert (await ask(stopped_operator, "healthz"))[0] == 200
        proxy.cut()
        text = await _until_told(stopped_operator, ["[-]contact namespaces", "[-]contact networkpolicies"])
        assert "nothing heard for" in text
        assert text.endswith("healthz check failed\n")
        assert (await ask(stopped_operator, "healthz"))[0] == 503
        assert await ask(stopped_operator, "readyz") == (200, "ok\n")
        proxy.mend()
        # The stream that begins is a word, though nothing happens in the cluster.
        await _until_told(stopped_operator, ["[+]contact namespaces", "[+]contact networkpolicies"])
        assert await stopped_operator.stop() == 0


async def _until_told(operator: Operator, starts: list[str]) -> str:
    """Probe until /healthz has a line of each beginning."""
    async with asyncio.timeout(DEADLINE):
        while True:
            _, text = await ask(operator, "healthz?verbose")
            if all(any(line.startswith(f"{start} ") for line in text.splitlines()) for start in starts):
                return text
