"""What /metrics serves: the families, their names and their help, read from the operator's state on every scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from namespace_isolation.report.metrics.census import MODES, NOT_ACCEPTED, READY, Census
from namespace_isolation.report.metrics.history import History

__all__ = ["Flow", "Sources", "registry_of"]

_Labels = TypeVar("_Labels", bound=tuple[str, ...])

_DIRECTIONS: Final = ("Ingress", "Egress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The requests to the API server at one moment, by lane: urgent, bulk, later."""

    under_way: Mapping[str, int]
    waited: Mapping[str, float]
    """Seconds, since the start."""
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a scrape reads; every function gives what is so at the moment of the call."""

    census: Callable[[], Census]
    history: History
    answers: Callable[[], Mapping[tuple[str, str], int]]
    """Requests to the API server, by verb and code."""
    flow: Callable[[], Flow]
    relists: Callable[[], Mapping[str, int]]
    """By collection."""
    queues: Callable[[], Mapping[str, int]]
    """Keys by queue."""
    events: Callable[[], Mapping[str, int]]
    """By result."""
    leads: Callable[[], bool]
    build: Mapping[str, str]


def registry_of(sources: Sources) -> CollectorRegistry:
    """Make the registry of one engine; the process's own figures come from the library."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Exposition(sources))
    registry.register(sources.history)
    ProcessCollector(registry=registry)
    return registry


class _Exposition(Collector):
    """Everything that is state, or is counted by whoever does it."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """Give all families; one pass over the standings is all the work."""
        yield from _of_the_cluster(self._sources.census())
        yield from _of_the_operator(self._sources)


def _of_the_cluster(census: Census) -> Iterator[Metric]:
    yield _gauge(
        "nsiso_isolations",
        "NamespaceIsolations, by mode (NotAccepted: the spec is not valid, nothing is done for it) and by the "
        "condition Ready in their status; Unknown until a status of the present generation is written.",
        ("mode", "ready"),
        {(mode, ready): census.isolations[mode, ready] for mode in (*MODES, NOT_ACCEPTED) for ready in READY},
    )
    yield _gauge(
        "nsiso_namespaces",
        "Namespaces, by the mode of the isolations that select them, and by state: matched (selected), in_sync "
        "(everything is as each of these isolations wants it), drifted (a drift is not corrected), failed (something "
        "cannot be done, or somebody keeps undoing it). A namespace counts once in each state that it is in, however "
        "many isolations select it: the states overlap, do not add them up.",
        ("mode", "state"),
        {(mode, state): count for mode, roll in census.rolls.items() for state, count in roll.states().items()},
    )
    yield _gauge(
        "nsiso_policies",
        "Managed NetworkPolicies, by the mode of their isolation and by state: desired, and in_place as desired. Audit "
        "creates none: in_place are those that are there already.",
        ("mode", "state"),
        {
            (mode, state): count
            for mode, roll in census.rolls.items()
            for state, count in (("desired", roll.desired), ("in_place", roll.in_place))
        },
    )
    yield _gauge(
        "nsiso_drift_outstanding",
        "Drifts that are there now, by mode: not corrected yet (Enforce), or only reported (Audit).",
        ("mode",),
        {(mode,): roll.outstanding for mode, roll in census.rolls.items()},
    )
    yield _unmanaged(census)
    yield GaugeMetricFamily(
        "nsiso_fights",
        "Managed policies that somebody changes back as often as they are repaired; their repairs back off.",
        census.fights,
    )


def _unmanaged(census: Census) -> Metric:
    counts = {(side, wide): 0 for side in _DIRECTIONS for wide in ("true", "false")}
    for (_, side, wide_open), count in census.unmanaged.items():
        counts[side, str(wide_open).lower()] += count
    return _gauge(
        "nsiso_unmanaged_policies",
        "NetworkPolicies of others that allow what an isolation denies by default, by direction and by whether they "
        "are wide open there (every peer, every port). One that widens both directions counts in both; for isolations "
        "in Audit, or where unmanagedPolicies is Ignore, none counts.",
        ("direction", "wide_open"),
        counts,
    )


def _of_the_operator(sources: Sources) -> Iterator[Metric]:
    yield _gauge(
        "nsiso_queue_depth",
        "Keys that wait or are in work, by queue: namespaces to reconcile, isolations to tend. Those that wait for a "
        "later moment, as after a failure, are not in it.",
        ("queue",),
        {(queue,): depth for queue, depth in sources.queues().items()},
    )
    yield _counter(
        "nsiso_api_requests_total",
        "Requests to the API server, each try counted, by verb (get, list, watch, create, update, patch, delete) and "
        "HTTP code; none: refused, cut or timed out. Kopf's own watches of the isolations and of the CRDs are not "
        "in it.",
        ("verb", "code"),
        sources.answers(),
    )
    yield from _of_the_flow(sources.flow())
    yield _counter(
        "nsiso_relists_total",
        "Complete lists after the first one, by collection. Namespaces and policies are listed again only where a "
        "watch cannot go on; isolations every five minutes as well.",
        ("collection",),
        {(collection,): count for collection, count in sources.relists().items()},
    )
    yield _counter(
        "nsiso_events_total",
        "Kubernetes Events: posted, or dropped because there were too many or the API server refused them.",
        ("result",),
        {(result,): count for result, count in sources.events().items()},
    )
    yield GaugeMetricFamily("nsiso_leader", "1 where this process is the one that writes.", float(sources.leads()))
    yield InfoMetricFamily("nsiso_build", "Versions of the operator, of Python and of Kopf.", dict(sources.build))


def _of_the_flow(flow: Flow) -> Iterator[Metric]:
    yield _gauge(
        "nsiso_api_requests_in_flight",
        "Requests to the API server under way, by lane: urgent (a drift, a namespace that came or changed, lists), "
        "bulk (what an isolation that came or changed asks for), later (statuses, finalizers, events). Watches are not "
        "in it.",
        ("lane",),
        {(lane,): count for lane, count in flow.under_way.items()},
    )
    yield GaugeMetricFamily(
        "nsiso_api_requests_in_flight_limit",
        "Requests under way below which those go that are not urgent: fewer while the API server fails or refuses "
        "(429), and while urgent ones come.",
        flow.limit,
    )
    yield _counter(
        "nsiso_api_throttled_seconds_total",
        "Seconds that requests waited before they were sent, added up, by lane: for those before them, for the limit, "
        "for a pause that the API server asked for (429), for --max-writes-per-second.",
        ("lane",),
        {(lane,): seconds for lane, seconds in flow.waited.items()},
    )


def _gauge(name: str, text: str, labels: Sequence[str], counts: Mapping[_Labels, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family


def _counter(name: str, text: str, labels: Sequence[str], counts: Mapping[_Labels, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family
