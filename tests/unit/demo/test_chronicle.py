"""How the demo waits: for what happens, with a deadline, and not at all once something broke."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from namespace_isolation.demo.chronicle import Alarm, Chronicle
from namespace_isolation.demo.unseen import Unseen


def _newest(entries: Sequence[str]) -> str | None:
    return entries[-1] if entries else None


async def test_it_sees_what_comes_later() -> None:
    """Whoever waits is woken by the entry that he waits for, and one before his position does not count."""
    chronicle = Chronicle[str](Alarm())
    chronicle.add("before")
    waiting = asyncio.ensure_future(chronicle.see("news", _newest, since=chronicle.position))
    await asyncio.sleep(0)
    assert not waiting.done()
    chronicle.add("after")
    assert await waiting == "after"


async def test_the_deadline_says_what_was_expected_and_what_came() -> None:
    """After the deadline Unseen names the expectation and lists the entries that came instead."""
    chronicle = Chronicle[str](Alarm())
    chronicle.add("something else")
    with pytest.raises(Unseen, match=r"a miracle, within 0 s") as raised:
        await chronicle.see("a miracle", lambda _: None, within=0.01)
    assert raised.value.seen == ("something else",)


async def test_the_alarm_ends_the_wait() -> None:
    """When the operator ends, nobody waits for the deadline, and its end is what is told."""
    alarm = Alarm()
    chronicle = Chronicle[str](alarm)
    waiting = asyncio.ensure_future(chronicle.see("news", _newest))
    await asyncio.sleep(0)
    alarm.ring(Unseen("the operator keeps running"))
    alarm.ring(Unseen("a watch that lasts"))
    with pytest.raises(Unseen, match="the operator keeps running"):
        await waiting
