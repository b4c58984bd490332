"""What /metrics serves: every family with a help and a type, and values read at the moment of the scrape."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from namespace_isolation.report.metrics.census import Census
from namespace_isolation.report.metrics.exposition import Flow, Sources, registry_of
from namespace_isolation.report.metrics.history import History

TYPES = {
    "nsiso_isolations": "gauge",
    "nsiso_namespaces": "gauge",
    "nsiso_policies": "gauge",
    "nsiso_drift": "counter",
    "nsiso_drift_outstanding": "gauge",
    "nsiso_unmanaged_policies": "gauge",
    "nsiso_fights": "gauge",
    "nsiso_reconcile_duration_seconds": "histogram",
    "nsiso_time_to_isolation_seconds": "histogram",
    "nsiso_queue_depth": "gauge",
    "nsiso_api_requests": "counter",
    "nsiso_api_requests_in_flight": "gauge",
    "nsiso_api_requests_in_flight_limit": "gauge",
    "nsiso_api_throttled_seconds": "counter",
    "nsiso_relists": "counter",
    "nsiso_status_writes": "counter",
    "nsiso_events": "counter",
    "nsiso_leader": "gauge",
    "nsiso_build_info": "gauge",
}
"""As the parser calls them: a counter without `_total`."""


class State:
    """What a scrape reads, to be changed by the test."""

    def __init__(self) -> None:
        """Start empty."""
        self.census = Census()
        self.answers: Counter[tuple[str, str]] = Counter()
        self.flow = Flow(under_way={"urgent": 0, "bulk": 0}, waited={"urgent": 0.0, "bulk": 0.0}, limit=4)
        self.relists = {"namespaces": 0}
        self.queues = {"namespaces": 0, "isolations": 0}
        self.events = {"posted": 0, "dropped": 0}
        self.leads = True
        self.registry = registry_of(
            Sources(
                census=lambda: self.census,
                history=History(lambda: 0.0),
                answers=lambda: self.answers,
                flow=lambda: self.flow,
                relists=lambda: self.relists,
                queues=lambda: self.queues,
                events=lambda: self.events,
                leads=lambda: self.leads,
                build={"version": "1.2.3", "python": "3.11.7", "kopf": "1.45.2"},
            )
        )

    def scrape(self) -> dict[str, Metric]:
        """Read the text format as Prometheus does."""
        return {family.name: family for family in parse(generate_latest(self.registry).decode())}

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """Give the samples of a family by their labels' values, in the order of the labels' names."""
        samples = self.scrape()[name].samples
        return {tuple(value for _, value in sorted(each.labels.items())): each.value for each in samples}


def test_every_promised_family_is_served_with_help_and_type() -> None:
    """And nothing else of ours; `process_` is the library's."""
    families = State().scrape()
    ours = {name: family.type for name, family in families.items() if not name.startswith("process_")}
    assert ours == TYPES
    assert all(len(families[name].documentation) > 10 for name in ours)
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_start_time_seconds"} <= families.keys()


def test_openmetrics_is_served_as_well() -> None:
    """Its parser is strict about names, types and the order of samples."""
    text = openmetrics.generate_latest(State().registry).decode()
    assert {family.name for family in parse_openmetrics(text)} >= (TYPES.keys() - {"nsiso_build_info"}) | {
        "nsiso_build"
    }


def test_a_scrape_reads_what_is_so_then() -> None:
    """Nothing is stored twice, so nothing can be out of date."""
    state = State()
    assert state.values("nsiso_queue_depth") == {("isolations",): 0, ("namespaces",): 0}
    state.queues["namespaces"] = 3
    state.leads = False
    state.answers["create", "201"] += 2
    state.answers["list", "none"] += 1
    state.relists["namespaces"] = 4
    state.events["dropped"] = 5
    state.census.fights = 6
    assert state.values("nsiso_queue_depth") == {("isolations",): 0, ("namespaces",): 3}
    assert state.values("nsiso_leader") == {(): 0}
    assert state.values("nsiso_api_requests") == {("201", "create"): 2, ("none", "list"): 1}
    assert state.values("nsiso_relists") == {("namespaces",): 4}
    assert state.values("nsiso_events") == {("dropped",): 5, ("posted",): 0}
    assert state.values("nsiso_fights") == {(): 6}


def test_every_combination_of_states_is_there_from_the_start() -> None:
    """A panel or an alert needs no special case for what never happened."""
    state = State()
    modes = ("Enforce", "Audit")
    assert state.values("nsiso_isolations").keys() == {
        (mode, ready) for mode in (*modes, "NotAccepted") for ready in ("True", "False", "Unknown")
    }
    assert state.values("nsiso_namespaces").keys() == {
        (mode, each) for mode in modes for each in ("matched", "in_sync", "drifted", "failed")
    }
    assert state.values("nsiso_policies").keys() == {(mode, each) for mode in modes for each in ("desired", "in_place")}
    assert state.values("nsiso_drift_outstanding").keys() == {(mode,) for mode in modes}
    assert state.values("nsiso_unmanaged_policies").keys() == {
        (side, wide) for side in ("Ingress", "Egress") for wide in ("true", "false")
    }


def test_the_census_is_served() -> None:
    """Each number under its labels."""
    state = State()
    state.census.isolations["Audit", "True"] = 2
    roll = state.census.rolls["Enforce"]
    roll.matched, roll.behind, roll.drifted, roll.failed = {"a", "b", "c"}, {"c"}, {"c"}, {"c", "d"}
    roll.desired, roll.in_place, roll.outstanding = 9, 7, 1
    state.census.unmanaged = {("a", "Ingress", True): 2, ("b", "Ingress", True): 3, ("b", "Egress", False): 1}
    assert state.values("nsiso_isolations")["Audit", "True"] == 2
    namespaces = state.values("nsiso_namespaces")
    assert [namespaces["Enforce", each] for each in ("matched", "in_sync", "drifted", "failed")] == [3, 2, 1, 2]
    policies = state.values("nsiso_policies")
    assert [policies["Enforce", each] for each in ("desired", "in_place")] == [9, 7]
    assert state.values("nsiso_drift_outstanding") == {("Enforce",): 1, ("Audit",): 0}
    unmanaged = state.values("nsiso_unmanaged_policies")
    assert {key: value for key, value in unmanaged.items() if value} == {
        ("Ingress", "true"): 5,
        ("Egress", "false"): 1,
    }


def test_the_flow_of_requests_is_told_by_lane() -> None:
    """How many are under way, how many may be, and for how long they waited."""
    state = State()
    state.flow = Flow(under_way={"urgent": 1, "bulk": 12}, waited={"urgent": 0.0, "bulk": 7.25}, limit=16)
    assert state.values("nsiso_api_requests_in_flight") == {("urgent",): 1, ("bulk",): 12}
    assert state.values("nsiso_api_requests_in_flight_limit") == {(): 16}
    assert state.values("nsiso_api_throttled_seconds") == {("urgent",): 0, ("bulk",): 7.25}


def test_the_build_is_told() -> None:
    """Version of the operator, of Python and of Kopf."""
    (sample,) = State().scrape()["nsiso_build_info"].samples
    assert (sample.labels, sample.value) == ({"version": "1.2.3", "python": "3.11.7", "kopf": "1.45.2"}, 1)


@pytest.mark.parametrize("_", range(2))
def test_engines_share_nothing(_: int) -> None:
    """A second registry in the process, as in every test, collides with nothing."""
    state = State()
    state.answers["get", "200"] += 1
    assert state.values("nsiso_api_requests") == {("200", "get"): 1}
