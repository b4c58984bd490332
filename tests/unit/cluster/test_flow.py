"""How the client behaves before a busy API server: it waits as told, holds what is less urgent, and then says so."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from namespace_isolation.cluster import ApiError
from namespace_isolation.cluster.gate import Gate, Passage
from namespace_isolation.model.lane import Lane
from tests.support.loopback import client_of

URGENT, BULK, LATER = Lane
WITHIN = 10.0
_HTTP_DATE = "Tue, 21 Nov 2023 15:00:00 GMT"


@pytest.fixture(autouse=True)
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


class Busy:
    """An API server that refuses the first requests, with what it says of the pause, and notes when each came."""

    def __init__(self, *refusals: dict[str, str]) -> None:
        """Refuse as often as headers are given."""
        self.refusals = list(refusals)
        self.asked: list[float] = []

    async def answer(self, _: web.Request) -> web.Response:
        """Answer one request."""
        self.asked.append(time.monotonic())
        if self.refusals:
            body = {"reason": "TooManyRequests", "message": "please try again later"}
            return web.json_response(body, status=429, headers=self.refusals.pop(0))
        return web.json_response({"metadata": {"name": "a"}})

    @property
    def pauses(self) -> list[float]:
        """The seconds between one request and the next."""
        return [later - earlier for earlier, later in zip(self.asked, self.asked[1:], strict=False)]


class Noted(Gate):
    """A gate that notes what it is told."""

    def __init__(self) -> None:
        """Be told nothing yet."""
        super().__init__(32)
        self.told: list[str] = []
        self.closed = asyncio.Event()

    def answered(self) -> None:
        """Note."""
        super().answered()
        self.told.append("answered")

    def overloaded(self, passage: Passage) -> None:
        """Note."""
        super().overloaded(passage)
        self.told.append("overloaded")

    def refused(self, passage: Passage, seconds: float) -> None:
        """Note."""
        super().refused(passage, seconds)
        self.told.append("refused")
        self.closed.set()


@pytest.mark.parametrize("lane", Lane)
async def test_a_refused_request_is_sent_again_when_the_api_server_says(lane: Lane) -> None:
    """Not a moment earlier, on any lane."""
    busy = Busy({"Retry-After": "1"})
    async with client_of(busy.answer) as client:
        assert await client.on(lane).create("/things", {}) == {"metadata": {"name": "a"}}
        assert client.answers == {("create", "429"): 1, ("create", "200"): 1}
    assert busy.pauses[0] >= 1.0


async def test_a_date_is_understood_as_well() -> None:
    """It counts from the date of the answer: the clocks of both sides need not agree."""
    later = format_datetime(datetime(2023, 11, 21, 15, 0, 1, tzinfo=UTC), usegmt=True)
    busy = Busy({"Retry-After": later, "Date": _HTTP_DATE})
    async with client_of(busy.answer) as client:
        await client.get("/things/a")
    assert 1.0 <= busy.pauses[0] < 3.0


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "²", "Tue, 21 Nov 2023 25:61:00 GMT"])
async def test_what_is_no_pause_is_a_short_one(header: str) -> None:
    """It says that it is busy, and not for how long."""
    busy = Busy({"Retry-After": header})
    async with client_of(busy.answer) as client:
        await client.get("/things/a")
    assert 0.2 <= busy.pauses[0] < 2.0


async def test_a_date_in_the_past_is_now() -> None:
    """The pause is over."""
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    busy = Busy({"Retry-After": past})
    async with client_of(busy.answer) as client:
        await client.get("/things/a")
    assert busy.pauses[0] < 0.2


async def test_a_refusal_of_one_holds_all_that_is_not_more_urgent() -> None:
    """They would be refused as well; what is urgent may try, and is not behind them."""
    busy = Busy({"Retry-After": "1"})
    async with client_of(busy.answer) as client:
        client.gate = gate = Noted()
        refused = asyncio.ensure_future(client.on(BULK).create("/things", {}))
        await gate.closed.wait()
        others = [asyncio.ensure_future(client.on(lane).create("/things", {})) for lane in (BULK, LATER)]
        await client.on(URGENT).create("/things", {})
        assert len(busy.asked) == 2
        await asyncio.gather(refused, *others)
        assert client.gate.waited[BULK] >= 2 * 0.9
    assert busy.asked[1] - busy.asked[0] < 0.9
    assert min(busy.asked[2:]) - busy.asked[0] >= 1.0


async def test_what_is_refused_for_long_fails_and_says_so() -> None:
    """After a few tries it goes back to the queue, whose pauses grow, and the status says why."""
    busy = Busy(*({"Retry-After": "0"} for _ in range(4)))
    async with client_of(busy.answer) as client:
        with pytest.raises(ApiError) as refused:
            await client.on(BULK).create("/things", {})
    assert (refused.value.status, refused.value.reason) == (429, "TooManyRequests")
    assert refused.value.failure.message == "please try again later"
    assert len(busy.asked) == 4


async def test_who_is_told_to_wait_for_very_long_does_not_wait_in_silence() -> None:
    """It fails at once, but the gate stays closed for that time."""
    busy = Busy({"Retry-After": "30"})
    async with client_of(busy.answer) as client:
        with pytest.raises(ApiError):
            await client.on(BULK).create("/things", {})
        again = asyncio.ensure_future(client.on(BULK).create("/things", {}))
        await client.on(URGENT).get("/things/a")
        assert not again.done()
        assert len(busy.asked) == 2
        again.cancel()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (200, ["answered"]),
        (404, []),
        (409, []),
        (422, []),
        (429, ["refused"] * 4),
        (500, ["overloaded"]),
        (503, ["overloaded"]),
        (504, ["overloaded"]),
    ],
)
async def test_what_an_answer_says_about_the_load(status: int, told: list[str]) -> None:
    """A refusal for what was asked says nothing: it may come before anything was done."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({}, status=status, headers={"Retry-After": "0"})

    async with client_of(answer) as client:
        client.gate = gate = Noted()
        with suppress(ApiError):
            await client.get("/things/a")
        assert {code for _, code in client.answers} == {str(status)}
        assert gate.told == told
        assert gate.under_way == dict.fromkeys(Lane, 0)


async def test_no_answer_in_time_is_a_sign_of_load() -> None:
    """A request waits at the gate for as long as need be; its time runs from when it was sent."""

    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with client_of(never, timeout=0.05) as client:
        client.gate = gate = Noted()
        with pytest.raises(ApiError) as silent:
            await client.get("/things/a")
        assert silent.value.timed_out
        assert gate.told == ["overloaded"]


async def test_lanes_share_everything_but_their_order() -> None:
    """Connections, counters, the limit; and with few places, who is urgent goes first."""
    order: list[str] = []
    full, go_on = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        order.append(request.path)
        if len(order) == 2:
            full.set()
        await go_on.wait()
        return web.json_response({})

    async with client_of(answer, in_flight=1) as client:
        lanes = {lane: client.on(lane) for lane in Lane}
        names = [f"/{lane.name}/{number}" for lane in (LATER, BULK, URGENT) for number in range(2)]
        requests = [asyncio.ensure_future(lanes[Lane[name.split("/")[1]]].get(name)) for name in names]
        await full.wait()
        assert client.gate.under_way == {URGENT: 1, BULK: 0, LATER: 1}
        go_on.set()
        await asyncio.gather(*requests)
        assert all(each.answers is client.answers for each in lanes.values())
        assert client.answers == {("get", "200"): 6}
    assert set(order[:2]) == {"/LATER/0", "/URGENT/0"}
    assert [name.split("/")[1] for name in order[2:]] == ["URGENT", "BULK", "BULK", "LATER"]


async def test_no_more_than_the_cap_are_written_in_a_second() -> None:
    """And reads do not count."""
    asked: Counter[str] = Counter()

    async def answer(request: web.Request) -> web.Response:
        asked[request.method] += 1
        return web.json_response({})

    async with client_of(answer, writes_per_second=50) as client:
        began = time.monotonic()
        reads = [client.get("/things/a") for _ in range(100)]
        writes = [client.create("/things", {}) for _ in range(55)]
        await asyncio.gather(*reads, *writes)
        took = time.monotonic() - began
    assert asked == {"GET": 100, "POST": 55}
    assert took >= 1.0
