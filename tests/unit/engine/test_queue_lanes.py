"""The lanes of the queue: what is urgent first, a few workers for it alone, and no lane that starves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from namespace_isolation.engine.queue import Job, WorkQueue
from namespace_isolation.model.lane import Lane

URGENT, BULK, LATER = Lane
WITHIN = 5.0


@pytest.fixture(autouse=True)
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


async def _take(queue: WorkQueue, up_to: Lane = LATER) -> Job:
    """Take a key that is ready, and be done with it."""
    job = await queue.get(up_to)
    assert job is not None
    queue.done(job.key)
    return job


async def _turns(count: int = 5) -> None:
    """Let whatever is ready to run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_urgent_overtakes_the_rest() -> None:
    """In its lane each key has its turn."""
    queue = WorkQueue()
    for key, lane in (("l", LATER), ("b1", BULK), ("b2", BULK), ("u1", URGENT), ("u2", URGENT)):
        queue.add(key, lane)
    assert [await _take(queue) for _ in range(5)] == [
        Job("u1", URGENT),
        Job("u2", URGENT),
        Job("b1", BULK),
        Job("b2", BULK),
        Job("l", LATER),
    ]


async def test_a_key_that_waits_moves_up_and_never_down() -> None:
    """It is held once, in the most urgent lane asked for."""
    queue = WorkQueue()
    for key in "ab":
        queue.add(key, BULK)
    queue.add("b", URGENT)
    queue.add("b", LATER)
    assert len(queue) == 2
    assert [await _take(queue), await _take(queue)] == [Job("b", URGENT), Job("a", BULK)]


@pytest.mark.parametrize(
    ("lanes", "expected"), [((BULK, URGENT), URGENT), ((URGENT, LATER), URGENT), ((LATER,), LATER)]
)
async def test_a_key_in_work_comes_back_in_the_most_urgent_lane_asked_for(
    lanes: tuple[Lane, ...], expected: Lane
) -> None:
    """The lane in which it is worked on does not count: that work is done."""
    queue = WorkQueue()
    queue.add("a", URGENT)
    await queue.get()
    for lane in lanes:
        queue.add("a", lane)
    queue.done("a")
    assert await _take(queue) == Job("a", expected)


async def test_a_retry_and_an_appointment_keep_their_lane() -> None:
    """A drift whose repair failed is still a drift."""
    queue = WorkQueue()
    queue.add_after("later", 0.001, LATER)
    queue.retry("urgent", URGENT)
    assert [await _take(queue), await _take(queue)] == [Job("later", LATER), Job("urgent", URGENT)]


@pytest.mark.parametrize(("first", "second"), [(0.001, 60.0), (60.0, 0.001)])
async def test_of_two_appointments_the_most_urgent_lane_counts(first: float, second: float) -> None:
    """And the earlier time, in either order."""
    queue = WorkQueue()
    queue.add_after("a", first, URGENT)
    queue.add_after("a", second, LATER)
    assert await _take(queue) == Job("a", URGENT)


async def test_an_urgent_appointment_makes_what_is_added_urgent() -> None:
    """It is kept early, and not behind all that is less urgent."""
    queue = WorkQueue()
    queue.add_after("a", 60.0, URGENT)
    queue.add("b", BULK)
    queue.add("a", BULK)
    assert await _take(queue) == Job("a", URGENT)


async def test_bulk_moves_on_while_urgent_keys_never_end() -> None:
    """One key in eight; and what is to be told later, one in sixteen."""
    queue = WorkQueue()
    for index in range(20):
        queue.add(f"b{index}", BULK)
        queue.add(f"l{index}", LATER)
    taken = []
    for index in range(160):
        queue.add(f"u{index}", URGENT)
        taken.append((await _take(queue)).lane)
    assert (taken.count(BULK), taken.count(LATER)) == (20, 9)
    assert BULK in taken[:8]
    assert LATER in taken[:17]


async def test_a_reserved_worker_takes_only_what_it_is_for() -> None:
    """Bulk work in every other worker does not hold it up."""
    queue = WorkQueue()
    reserved = asyncio.ensure_future(queue.get(URGENT))
    queue.add("b", BULK)
    await _turns()
    assert not reserved.done()
    queue.add("u", URGENT)
    assert await reserved == Job("u", URGENT)
    assert await _take(queue) == Job("b", BULK)


async def test_the_share_of_bulk_holds_with_reserved_workers_as_well() -> None:
    """What they take counts as passing over."""
    queue = WorkQueue()
    queue.add("b", BULK)
    for index in range(8):
        queue.add(f"u{index}", URGENT)
    for _ in range(7):
        await _take(queue, URGENT)
    assert await _take(queue) == Job("b", BULK)


async def test_no_key_is_left_lying_while_a_worker_for_it_is_idle() -> None:
    """Whoever is woken and finds another's key gone wakes the next."""
    queue = WorkQueue()
    idle = [asyncio.ensure_future(queue.get(lane)) for lane in (URGENT, LATER, LATER)]
    await _turns()
    queue.add("b", BULK)
    queue.add("u", URGENT)
    await _turns()
    assert sorted(each.result() for each in idle if each.done()) == [Job("b", BULK), Job("u", URGENT)]  # type: ignore[type-var]
    queue.close(finish=False)
    await asyncio.gather(*idle)


async def test_a_worker_that_is_cancelled_when_it_is_woken_wakes_another() -> None:
    """No key is lost with it."""
    queue = WorkQueue()
    first, second = (asyncio.ensure_future(queue.get()) for _ in range(2))
    await _turns()
    queue.add("a", BULK)
    first.cancel()
    assert await second == Job("a", BULK)


async def test_a_closed_queue_gives_what_is_left_to_any_worker() -> None:
    """The others may have ended: a status that comes back then is still written."""
    queue = WorkQueue()
    queue.add("a", BULK)
    job = await queue.get(BULK)
    queue.add("a", LATER)
    queue.close(finish=True)
    assert await queue.get() is None
    assert job is not None
    queue.done(job.key)
    assert await queue.get(BULK) == Job("a", LATER)
    queue.done("a")
    await queue.drained()


async def test_a_queue_closed_to_finish_keeps_the_lanes() -> None:
    """Of what waits, and of what is due later."""
    queue = WorkQueue()
    queue.add("b", BULK)
    queue.add_after("l", 60.0, LATER)
    queue.add_after("u", 60.0, URGENT)
    queue.close(finish=True)
    assert [await _take(queue) for _ in range(3)] == [Job("u", URGENT), Job("b", BULK), Job("l", LATER)]


async def test_ten_thousand_keys_are_no_burden() -> None:
    """The first key of a lane is found at once, however many were taken before it."""
    queue = WorkQueue()
    for index in range(10_000):
        queue.add(f"k{index}", BULK)
    assert [(await _take(queue)).key for _ in range(10_000)] == [f"k{index}" for index in range(10_000)]


async def test_an_appointment_for_right_now_may_be_made_again() -> None:
    """Uvloop's handle of a timer that is due at once does not tell when that is."""
    queue = WorkQueue()
    queue.add_after("a", 0.0, BULK)
    queue.add_after("a", 0.0001, LATER)
    queue.add_after("a", 5.0, URGENT)
    async with asyncio.timeout(WITHIN):
        assert await queue.get() == ("a", URGENT)


@pytest.mark.parametrize("in_work", [False, True], ids=["waits", "in work"])
async def test_a_later_appointment_makes_what_comes_anyway_more_urgent(in_work: bool) -> None:  # noqa: FBT001
    """A drift whose repair failed does not come back behind a mass convergence."""
    queue = WorkQueue()
    queue.add("a", BULK)
    if in_work:
        await queue.get()
        queue.add("a", BULK)
    queue.add_after("a", 1.0, URGENT)
    if in_work:
        queue.done("a")
    async with asyncio.timeout(WITHIN):
        assert await queue.get() == ("a", URGENT)
