"""At most so many writes a second, with hardly a burst."""

from __future__ import annotations

import pytest

from namespace_isolation.cluster.rate import WriteRate


def _sent_within(rate: WriteRate, seconds: float, *, since: float = 0.0) -> int:
    """Send as soon as one may, and count."""
    now, count = since, 0
    while True:
        now += rate.wait(now)
        if now > since + seconds:
            return count
        rate.sent(now)
        count += 1


@pytest.mark.parametrize(("per_second", "burst"), [(1, 1), (5, 1), (10, 1), (20, 2), (100, 10), (1000, 100)])
def test_it_is_kept_in_every_second(per_second: int, burst: int) -> None:
    """After a pause, too, it goes on with a tenth of a second's worth at most."""
    rate = WriteRate(per_second)
    for begin in (0.0, 1000.0):
        assert per_second - 1 <= _sent_within(rate, 0.999999, since=begin) <= per_second + burst
        assert _sent_within(rate, 10.0, since=begin + 1) <= 10 * per_second + 1


def test_without_a_limit_nobody_waits() -> None:
    """Not even a thousand at one moment."""
    rate = WriteRate(None)
    for _ in range(1000):
        assert rate.wait(5.0) == 0
        rate.sent(5.0)


def test_the_first_one_goes_at_once_and_the_next_when_it_is_due() -> None:
    """One in two seconds' time is no less than one a second: nothing is saved up for later."""
    rate = WriteRate(1)
    assert rate.wait(3.0) == 0
    rate.sent(3.0)
    assert rate.wait(3.0) == pytest.approx(1.0)
    assert rate.wait(3.75) == pytest.approx(0.25)
    assert rate.wait(60.0) == 0
    rate.sent(60.0)
    assert rate.wait(60.0) == pytest.approx(1.0)
