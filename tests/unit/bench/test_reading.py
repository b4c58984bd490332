"""What the bench reads of others: streams, /proc, /metrics."""

from __future__ import annotations

import pytest

from tests.bench.lines import LineCutter
from tests.bench.machine import Usage, read_busy
from tests.bench.measures.churn import growth_of_memory
from tests.bench.measures.edit import status_rate
from tests.bench.measures.idle import quiet_requests
from tests.bench.metrics import read_metrics
from tests.bench.process import read_cpu, read_memory
from tests.bench.raw import list_field

_METRICS = """\
# TYPE nsiso_reconcile_duration_seconds histogram
nsiso_reconcile_duration_seconds_bucket{le="0.1",result="unchanged"} 900.0
nsiso_reconcile_duration_seconds_count{result="unchanged"} 1000.0
nsiso_reconcile_duration_seconds_count{result="changed"} 4.0
# TYPE nsiso_queue_depth gauge
nsiso_queue_depth{queue="namespaces"} 3.0
nsiso_queue_depth{queue="isolations"} 2.0
# TYPE nsiso_api_requests counter
nsiso_api_requests_total{code="200",verb="list"} 9.0
nsiso_api_requests_total{code="201",verb="create"} 40.0
nsiso_api_requests_total{code="409",verb="create"} 1.0
nsiso_api_requests_total{code="200",verb="patch"} 2.0
nsiso_api_requests_total{code="200",verb="watch"} 3.0
"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_whole_however_they_come(size: int) -> None:
    """Chunks end anywhere; what is not complete waits for the rest."""
    stream, cutter = b"one\ntwo\n\nthree\nunfinished", LineCutter()
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [line for chunk in chunks for line in cutter.cut(chunk)] == [b"one", b"two", b"", b"three"]


def test_metrics_are_added_up() -> None:
    """Looks over all results, keys over both queues, requests over all codes."""
    scrape = read_metrics(_METRICS)
    assert scrape.looks == 1004
    assert scrape.waiting == 5
    assert scrape.requests == {"list": 9, "create": 41, "patch": 2, "watch": 3}
    assert scrape.writes == 43
    assert scrape.total("nsiso_queue_depth", queue="isolations") == 2
    assert scrape.total("nsiso_unheard_of") == 0
    assert quiet_requests(scrape.requests) == 52


def test_cpu_time_is_user_and_kernel_time() -> None:
    """A program's name may hold blanks and brackets."""
    stat = "42 (py (x) y) S 1 42 42 0 -1 4194304 500 0 0 0 250 150 9 9 20 0 1 0 100 1000 10"
    assert read_cpu(stat) == pytest.approx(4.0)


def test_memory_is_told_in_mebibytes() -> None:
    """What is resident now, and the most that ever was."""
    memory = read_memory("Name:\tpython\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\nThreads:\t3\n")
    assert (memory.now, memory.peak) == (100.0, 200.0)


def test_a_busy_core_is_told_from_an_idle_one() -> None:
    """Waiting for a disk is not work."""
    assert read_busy("cpu  100 0 100 700 50 0 30 20 0 0\ncpu0 1 2 3\n") == pytest.approx((2.5, 10.0))


def test_others_are_what_is_busy_and_not_ours() -> None:
    """A rounding below zero counts as nobody."""
    before = Usage(busy=10, ours=8, total=100)
    assert Usage(busy=30, ours=18, total=120).share_of_others(before) == pytest.approx(0.5)
    assert Usage(busy=20, ours=18.1, total=120).share_of_others(before) == 0
    assert before.share_of_others(before) == 0
    assert Usage(busy=10.5, ours=8, total=100.5).share_of_others(before) == 0


@pytest.mark.parametrize(
    ("body", "version", "token"),
    [
        pytest.param(
            b'{"kind":"NetworkPolicyList","metadata":{"resourceVersion":"7","continue":"abc"},'
            b'"items":[{"metadata":{"resourceVersion":"3"}}]}',
            "7",
            "abc",
            id="metadata before the items",
        ),
        pytest.param(
            b'{"apiVersion":"v1","items":[{"metadata":{"resourceVersion":"3"},"spec":{"a":[]}}],"kind":"List",'
            b'"metadata":{"continue":"abc","resourceVersion":"7"}}',
            "7",
            "abc",
            id="metadata behind the items",
        ),
        pytest.param(
            b'{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"annotations":{"x":"\\"continue\\":\\"no\\""}}}]}',
            "7",
            None,
            id="the last page",
        ),
    ],
)
def test_a_page_is_read_without_decoding_it(body: bytes, version: str, token: str | None) -> None:
    """Its version and its token stand before the items or behind them, never within."""
    assert list_field("resourceVersion", body) == version
    assert list_field("continue", body) == token


def test_memory_is_compared_behind_the_warm_up() -> None:
    """What is taken in the first fifth is no growth; a single peak is none either."""
    samples = [(float(at), 50.0 + min(at, 15)) for at in range(101)]
    assert growth_of_memory(samples) == pytest.approx(0)
    samples[97] = (97.0, 500.0)
    assert growth_of_memory(samples) == pytest.approx(0)
    assert growth_of_memory([(float(at), 100.0 + at) for at in range(101)]) == pytest.approx(100 * (195 / 115 - 1))


@pytest.mark.parametrize(
    ("moments", "rate"), [([], 0), ([5.0], 0), ([5.0, 6.0], 1), ([5.0, 5.25], 4), ([1.0, 2.0, 3.004], 1)]
)
def test_a_rate_is_of_the_time_between(moments: list[float], rate: float) -> None:
    """Three writes in two seconds are one a second; a few milliseconds are no difference."""
    assert status_rate(moments) == rate
