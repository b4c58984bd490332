"""The gate: what is urgent goes at once, the rest below the limit, nobody starves, and a refusal holds those behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from namespace_isolation.cluster.gate import Gate, Passage
from namespace_isolation.model.lane import Lane
from tests.support.fighting import Clock

URGENT, BULK, LATER = Lane
IN_FLIGHT = 32
BESIDE_URGENT = 8
WITHIN = 5.0


@pytest.fixture(autouse=True)
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


class Crowd:
    """Requests that want through a gate, and those that are through, in their order."""

    def __init__(self, gate: Gate | None = None, *, in_flight: int = IN_FLIGHT) -> None:
        """Stand before a gate whose clock stands still."""
        self.clock = Clock()
        self.gate = gate or Gate(in_flight, clock=self.clock)
        self.through: list[Passage] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, lane: Lane, count: int = 1, *, write: bool = True, again: bool = False) -> None:
        """Let so many come, and go through if they may."""
        for _ in range(count):
            self.tasks.append(asyncio.ensure_future(self._pass(lane, write=write, again=again)))
        await self.settle()

    async def end(self, lane: Lane, count: int = 1) -> None:
        """Let so many requests of a lane end, the oldest first."""
        for _ in range(count):
            passage = next(each for each in self.through if each.lane is lane)
            self.through.remove(passage)
            self.gate.leave(passage)
            await self.settle()

    async def settle(self) -> None:
        """Let whoever may go on do so."""
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def lanes(self) -> list[Lane]:
        """The lanes of those that are through and not ended."""
        return [each.lane for each in self.through]

    async def _pass(self, lane: Lane, *, write: bool, again: bool) -> None:
        self.through.append(await self.gate.enter(lane, write=write, again=again))


async def test_urgent_requests_go_at_once_up_to_the_last_place() -> None:
    """Of which there are an eighth more than for the others."""
    crowd = Crowd()
    await crowd.come(URGENT, 50)
    assert crowd.lanes == [URGENT] * 36
    await crowd.end(URGENT)
    assert crowd.lanes == [URGENT] * 36


@pytest.mark.parametrize("lane", [BULK, LATER])
async def test_the_others_go_below_the_limit(lane: Lane) -> None:
    """The places above it are for what is urgent."""
    crowd = Crowd()
    await crowd.come(lane, 50)
    assert crowd.lanes == [lane] * IN_FLIGHT
    assert crowd.gate.limit == IN_FLIGHT
    assert crowd.gate.under_way == {URGENT: 0, BULK: 0, LATER: 0} | {lane: IN_FLIGHT}


async def test_bulk_makes_room_for_what_is_urgent() -> None:
    """Urgent requests go although the limit is reached; then nothing else goes until there are few of both."""
    crowd = Crowd()
    await crowd.come(BULK, 50)
    await crowd.come(URGENT, 3)
    assert crowd.lanes == [BULK] * IN_FLIGHT + [URGENT] * 3
    await crowd.end(BULK, IN_FLIGHT - BESIDE_URGENT + 3)
    assert crowd.lanes == [BULK] * 5 + [URGENT] * 3
    await crowd.end(BULK)
    assert sorted(crowd.lanes) == [URGENT] * 3 + [BULK] * 5


async def test_few_others_go_for_a_second_after_the_last_urgent_request() -> None:
    """It rarely comes alone; then all places are taken again."""
    crowd = Crowd()
    await crowd.come(URGENT)
    await crowd.come(BULK, 50)
    await crowd.end(URGENT)
    assert crowd.lanes == [BULK] * BESIDE_URGENT
    assert crowd.gate.limit == BESIDE_URGENT
    crowd.clock.now += 1.0
    assert crowd.gate.limit == IN_FLIGHT
    await crowd.end(BULK)
    assert crowd.lanes == [BULK] * IN_FLIGHT


async def test_a_list_is_in_no_hurry() -> None:
    """What is listed at the start keeps nobody from beginning with all places."""
    crowd = Crowd()
    await crowd.come(URGENT, write=False)
    await crowd.end(URGENT)
    await crowd.come(BULK, 50)
    assert crowd.lanes == [BULK] * IN_FLIGHT


async def test_what_is_urgent_goes_before_all_that_waits() -> None:
    """Also where there is one place only."""
    crowd = Crowd(in_flight=1)
    await crowd.come(BULK, 2)
    await crowd.come(LATER)
    await crowd.come(URGENT, 2)
    assert crowd.lanes == [BULK, URGENT]
    await crowd.end(URGENT)
    assert crowd.lanes == [BULK, URGENT]
    await crowd.end(URGENT)
    await crowd.end(BULK)
    assert crowd.lanes == [BULK]
    await crowd.end(BULK)
    assert crowd.lanes == [LATER]


async def test_bulk_has_its_share_while_urgent_requests_never_end() -> None:
    """Every place is taken by what is urgent, and still one in eight is bulk, and one in sixteen may be later."""
    crowd = Crowd()
    await crowd.come(URGENT, 400)
    await crowd.come(BULK, 50)
    await crowd.come(LATER, 50)
    seen = []
    for _ in range(160):
        await crowd.end(max(crowd.lanes))
        seen.append(crowd.lanes[-1])
        assert len(crowd.through) == 36
    assert 16 <= seen.count(BULK) <= 20
    assert 8 <= seen.count(LATER) <= 10


async def test_the_share_of_bulk_is_no_way_around_the_limit() -> None:
    """Passed over as often as it may be, it still has no more than its places."""
    crowd = Crowd()
    await crowd.come(BULK, 50)
    await crowd.come(URGENT, 30)
    for _ in range(30):
        await crowd.end(URGENT)
        await crowd.come(URGENT)
    assert crowd.lanes.count(BULK) == IN_FLIGHT


async def test_what_can_be_told_later_takes_no_free_place_beside_bulk() -> None:
    """There will be more of that in a moment; once the last of it has ended, all places are free."""
    crowd = Crowd()
    await crowd.come(BULK, 2)
    await crowd.come(LATER, 50)
    await crowd.end(BULK)
    assert crowd.lanes == [BULK]
    await crowd.end(BULK)
    assert crowd.lanes == [LATER] * IN_FLIGHT


async def test_what_may_be_later_follows_behind_bulk() -> None:
    """With one turn in sixteen meanwhile."""
    crowd = Crowd()
    await crowd.come(BULK, 200)
    await crowd.come(LATER, 10)
    seen = []
    for _ in range(96):
        await crowd.end(crowd.through[0].lane)
        seen.append(crowd.lanes[-1])
        assert len(crowd.through) == IN_FLIGHT
    assert seen.count(LATER) == 6


async def test_a_refusal_holds_its_lane_and_those_behind_it() -> None:
    """For as long as is asked; one that is urgent may still try."""
    crowd = Crowd()
    await crowd.come(BULK, 4)
    refused = crowd.through[2]
    crowd.gate.refused(refused, 0.05)
    await crowd.end(BULK, 4)
    await crowd.come(BULK)
    await crowd.come(LATER)
    assert crowd.lanes == []
    await crowd.come(URGENT)
    assert crowd.lanes == [URGENT]
    await crowd.end(URGENT)
    crowd.clock.now += 0.05
    await crowd.tasks[4]  # the gate opens by itself
    assert crowd.lanes == [BULK]
    await crowd.end(BULK)
    assert crowd.lanes == [LATER]


async def test_an_urgent_refusal_holds_all() -> None:
    """If what is urgent is refused, so is everything else."""
    crowd = Crowd()
    await crowd.come(URGENT, 2)
    crowd.gate.refused(crowd.through[1], 0.05)
    await crowd.end(URGENT, 2)
    for lane in Lane:
        await crowd.come(lane, write=False)
    assert crowd.lanes == []
    crowd.clock.now += 0.05
    await crowd.settle()
    await crowd.come(URGENT)
    assert crowd.lanes[0] is URGENT


async def test_nobody_is_held_for_an_hour() -> None:
    """Whatever a proxy in between asks for."""
    crowd = Crowd()
    await crowd.come(BULK)
    crowd.gate.refused(crowd.through[0], 3600)
    await crowd.end(BULK)
    crowd.clock.now += 59.9
    await crowd.come(BULK)
    assert crowd.lanes == []
    crowd.clock.now += 0.2
    await crowd.come(BULK)
    assert crowd.lanes == [BULK, BULK]


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """All that was asked for is kept."""
    crowd = Crowd()
    await crowd.come(BULK, 2)
    crowd.gate.refused(crowd.through[1], 10)
    crowd.gate.refused(crowd.through[0], 1)
    await crowd.end(BULK, 2)
    crowd.clock.now += 9
    await crowd.come(BULK)
    assert crowd.lanes == []


async def test_a_request_that_was_refused_goes_before_the_others_of_its_lane() -> None:
    """It waited longest."""
    crowd = Crowd(in_flight=1)
    await crowd.come(BULK, 3, write=True)
    await crowd.come(BULK, write=True, again=True)
    last = crowd.tasks[-1]
    await crowd.end(BULK)
    assert last.done()
    assert not crowd.tasks[1].done()


async def test_no_more_go_than_the_api_server_takes() -> None:
    """Of three the third was refused: not even what is urgent makes three again, or it would be refused in turn."""
    crowd = Crowd()
    await crowd.come(URGENT, 3)
    crowd.gate.refused(crowd.through[2], 1)
    await crowd.end(URGENT, 3)
    crowd.clock.now += 1
    await crowd.come(URGENT, 5)
    assert crowd.lanes == [URGENT] * 2
    assert crowd.gate.limit == 2


async def test_a_request_that_is_cancelled_takes_no_place() -> None:
    """Neither while it waits, nor at the very moment it may go."""
    crowd = Crowd(in_flight=1)
    await crowd.come(BULK, 4)
    crowd.tasks[1].cancel()
    await crowd.settle()
    passage = crowd.through.pop()
    crowd.gate.leave(passage)
    crowd.tasks[2].cancel()  # it is its turn, and it does not know yet
    await crowd.settle()
    assert crowd.lanes == [BULK]
    assert crowd.tasks[3].done()
    assert crowd.gate.under_way[BULK] == 1


async def test_one_that_is_cancelled_as_the_gate_looks_at_it_is_passed_over() -> None:
    """It has not left its place in the line yet."""
    crowd = Crowd(in_flight=1)
    await crowd.come(BULK, 3)
    crowd.tasks[1].cancel()
    await crowd.end(BULK)
    assert crowd.tasks[2].done()
    assert crowd.gate.under_way[BULK] == 1


async def test_the_cap_on_writes_holds_writes_and_no_reads() -> None:
    """Nor what is urgent and only reads; and of the writes the urgent one is first."""
    clock = Clock()
    crowd = Crowd(Gate(IN_FLIGHT, writes_per_second=100, clock=clock))
    await crowd.come(BULK, 20)
    assert crowd.lanes == [BULK] * 10  # a tenth of a second's worth
    before = len(crowd.through)
    await crowd.come(BULK, write=False)
    await crowd.come(URGENT)
    assert crowd.lanes[before:] == [BULK]
    clock.now += 0.011
    await crowd.come(URGENT, write=False)
    assert crowd.lanes[before:] == [BULK, URGENT, URGENT]


async def test_the_cap_lets_go_on_by_itself() -> None:
    """Nobody has to come or to end."""
    gate = Gate(IN_FLIGHT, writes_per_second=200)
    began = asyncio.get_running_loop().time()
    for _ in range(41):
        gate.leave(await gate.enter(BULK, write=True))
    assert asyncio.get_running_loop().time() - began >= 0.09


async def test_it_tells_how_long_requests_stood_before_it() -> None:
    """Those that went at once stood there for no time."""
    crowd = Crowd()
    await crowd.come(BULK, IN_FLIGHT + 1)
    await crowd.come(URGENT)
    crowd.clock.now += 2.5
    await crowd.end(BULK, 2)
    assert crowd.gate.waited == {URGENT: 0.0, BULK: 2.5, LATER: 0.0}
    assert len(crowd.through) == IN_FLIGHT
