"""The queue of keys: each once, each with one worker at a time, failed ones later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from namespace_isolation.engine import queue as queue_module
from namespace_isolation.engine.queue import WorkQueue
from namespace_isolation.model.lane import Lane

BULK = Lane.BULK
WITHIN = 5.0


@pytest.fixture(autouse=True)
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


async def _key(queue: WorkQueue) -> str | None:
    """Take a key; its lane is no matter here."""
    job = await queue.get()
    return None if job is None else job.key


async def _drain(queue: WorkQueue) -> list[str]:
    """Take what is ready without waiting for more."""
    keys = []
    while len(queue) > 0:
        key = await _key(queue)
        assert key is not None
        keys.append(key)
        queue.done(key)
    return keys


async def _idle(queue: WorkQueue) -> bool:
    """Whether nothing is ready, in work, or due later: a queue closed to finish gives out nothing more."""
    queue.close(finish=True)
    return len(queue) == 0 and await _key(queue) is None


def _idle_worker(queue: WorkQueue) -> asyncio.Task[str | None]:
    return asyncio.ensure_future(_key(queue))


async def _turns(count: int = 5) -> None:
    """Let whatever is ready to run do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    """First come, first served, so that no namespace starves."""
    queue = WorkQueue()
    for key in "cab":
        queue.add(key, BULK)
    assert await _drain(queue) == ["c", "a", "b"]
    assert await _idle(queue)


async def test_a_key_that_waits_is_held_once() -> None:
    """A thousand events of one namespace are one look at it."""
    queue = WorkQueue()
    for _ in range(1000):
        queue.add("a", BULK)
    assert len(queue) == 1
    assert await _drain(queue) == ["a"]


async def test_a_worker_waits_for_a_key() -> None:
    """And gets it as soon as it is there."""
    queue = WorkQueue()
    worker = _idle_worker(queue)
    await _turns()
    assert not worker.done()
    queue.add("a", BULK)
    assert await worker == "a"


async def test_a_key_in_work_is_given_to_nobody_else_and_comes_back_once() -> None:
    """What is added during the work is looked at afterwards, however often it was added."""
    queue = WorkQueue()
    queue.add("a", BULK)
    assert await _key(queue) == "a"
    queue.add("a", BULK)
    queue.add("a", BULK)
    other = _idle_worker(queue)
    await _turns()
    assert not other.done()
    queue.done("a")
    assert await other == "a"
    queue.done("a")
    assert await _idle(queue)


async def test_many_workers_share_the_keys_and_never_one_key() -> None:
    """Whatever is added meanwhile, each key is with one worker at a time and none is forgotten."""
    queue = WorkQueue()
    under_way: set[str] = set()
    seen: list[str] = []
    enough = asyncio.Event()

    async def work() -> None:
        while (key := await _key(queue)) is not None:
            assert key not in under_way
            under_way.add(key)
            seen.append(key)
            if len(seen) < 200:
                queue.add(f"k{len(seen) * 7 % 10}", BULK)
                queue.add(key, BULK)
            else:
                enough.set()
            await asyncio.sleep(0)
            under_way.discard(key)
            queue.done(key)

    for index in range(10):
        queue.add(f"k{index}", BULK)
    workers = [asyncio.ensure_future(work()) for _ in range(4)]
    await enough.wait()
    queue.close(finish=True)
    await asyncio.gather(*workers)
    assert set(seen) == {f"k{index}" for index in range(10)}
    assert len(seen) >= 200


async def test_a_later_appointment_comes_when_it_is_due() -> None:
    """Until then the queue is empty."""
    queue = WorkQueue()
    queue.add_after("a", 0.001, BULK)
    assert len(queue) == 0
    assert await _key(queue) == "a"


async def test_the_earlier_of_two_appointments_counts() -> None:
    """In either order."""
    for first, second in ((0.001, 60.0), (60.0, 0.001)):
        queue = WorkQueue()
        queue.add_after("a", first, BULK)
        queue.add_after("a", second, BULK)
        assert await _key(queue) == "a"
        queue.done("a")
        assert await _idle(queue)


async def test_a_key_that_is_wanted_now_needs_no_appointment() -> None:
    """Adding it drops the appointment; one that waits, or comes back anyway, gets none."""
    queue = WorkQueue()
    queue.add_after("a", 60.0, BULK)
    queue.add("a", BULK)
    queue.add_after("a", 60.0, BULK)
    assert await _key(queue) == "a"
    queue.add("a", BULK)
    queue.add_after("a", 60.0, BULK)
    queue.done("a")
    assert await _drain(queue) == ["a"]
    assert await _idle(queue)


async def test_an_appointment_that_falls_due_in_work_brings_the_key_back() -> None:
    """It is not lost because somebody is at it."""
    queue = WorkQueue()
    queue.add("a", BULK)
    await _key(queue)
    queue.add_after("a", 0, BULK)
    await asyncio.sleep(0.005)
    queue.done("a")
    assert await _drain(queue) == ["a"]


async def test_pauses_double_with_each_failure_and_end_with_a_success() -> None:
    """From 50 ms to a minute, a fifth more or less."""
    queue = WorkQueue()
    pauses = [queue.retry("a", BULK) for _ in range(20)]
    for count, pause in enumerate(pauses):
        expected = min(0.05 * 2**count, 60.0)
        assert 0.8 * expected <= pause <= 1.2 * expected
    queue.succeeded("a")
    assert queue.retry("a", BULK) <= 0.06
    assert queue.retry("b", BULK) <= 0.06
    queue.succeeded("never-failed")


async def test_a_failed_key_comes_back_after_its_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """And holds up nobody meanwhile."""
    monkeypatch.setattr(queue_module, "_FIRST_DELAY", 0.01)
    queue = WorkQueue()
    queue.add("a", BULK)
    key = await _key(queue)
    queue.retry("a", BULK)
    queue.done("a")
    queue.add("b", BULK)
    assert [key, await _key(queue), await _key(queue)] == ["a", "b", "a"]


async def test_a_closed_queue_ends_its_workers() -> None:
    """All that wait."""
    queue = WorkQueue()
    workers = [_idle_worker(queue) for _ in range(3)]
    await _turns()
    queue.close(finish=False)
    assert await asyncio.gather(*workers) == [None, None, None]
    await queue.drained()


async def test_a_queue_closed_at_once_drops_what_waits_and_what_is_due_later() -> None:
    """Only what is in work is waited for, and it does not come back."""
    queue = WorkQueue()
    queue.add("a", BULK)
    assert await _key(queue) == "a"
    queue.add("a", BULK)
    queue.add("b", BULK)
    queue.add_after("c", 0.001, BULK)
    queue.close(finish=False)
    waiting = asyncio.ensure_future(queue.drained())
    await _turns()
    assert not waiting.done()
    queue.done("a")
    await waiting
    assert await _key(queue) is None
    assert await _idle(queue)


async def test_a_queue_closed_to_finish_gives_out_what_waits_and_what_is_due_later() -> None:
    """Then it ends its workers."""
    queue = WorkQueue()
    queue.add("a", BULK)
    queue.add_after("b", 60.0, BULK)
    queue.close(finish=True)
    for key in ("a", "b"):
        assert await _key(queue) == key
        queue.done(key)
    assert await _key(queue) is None
    await queue.drained()


async def test_a_queue_closed_to_finish_brings_back_what_was_added_in_work() -> None:
    """The last status is written before we go, also where one is under way."""
    queue = WorkQueue()
    queue.add("added", BULK)
    queue.add("due", BULK)
    assert [await _key(queue), await _key(queue)] == ["added", "due"]
    queue.add("added", BULK)
    queue.add_after("due", 60.0, BULK)
    queue.close(finish=True)
    workers = [_idle_worker(queue) for _ in range(2)]
    await _turns()
    assert [worker.result() for worker in workers] == [None, None]
    waiting = asyncio.ensure_future(queue.drained())
    for key in ("added", "due"):
        queue.done(key)
        assert await _key(queue) == key
        queue.done(key)
    await waiting
    assert await _key(queue) is None


async def test_a_closed_queue_takes_nothing_new() -> None:
    """Now, later, or after a failure."""
    queue = WorkQueue()
    queue.close(finish=True)
    queue.add("a", BULK)
    queue.add_after("b", 0, BULK)
    queue.retry("c", BULK)
    assert await _idle(queue)
    await queue.drained()


async def test_a_queue_is_drained_only_once_it_is_closed() -> None:
    """An empty queue may get work at any time."""
    queue = WorkQueue()
    waiting = asyncio.ensure_future(queue.drained())
    await _turns()
    assert not waiting.done()
    queue.close(finish=False)
    await waiting
