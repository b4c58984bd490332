"""The events that wait: what is told first, what becomes a series, and for what there is no room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from namespace_isolation.engine.event_backlog import Backlog, Series
from namespace_isolation.model.event import Event, Regarding

START = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Regarding(api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace="payments", name="deny")
EVENT = Event(kind="Normal", reason="DriftCorrected", action="Update", note="It was changed.", regarding=POLICY)
WARNING = replace(EVENT, kind="Warning", reason="Fight")


def _other(number: int, event: Event = EVENT) -> Event:
    """Make the same event of another policy."""
    return replace(event, regarding=replace(POLICY, name=f"deny-{number}"))


def _add(backlog: Backlog, event: Event, at: float = 0.0) -> bool:
    return backlog.add(event, at, START + timedelta(seconds=at))


def _write(backlog: Backlog, at: float = 0.0) -> Series:
    """Write what is next."""
    series = backlog.next(at)
    assert series is not None
    backlog.written(series, series.record.count, at)
    return series


def test_an_event_is_due_at_once_and_told_once() -> None:
    """Then nothing waits."""
    backlog = Backlog()
    assert backlog.next_due() is None
    assert _add(backlog, EVENT, 5.0)
    assert (len(backlog), backlog.next_due()) == (1, 5.0)
    record = _write(backlog, 5.0).record
    assert (record.event, record.count, record.first, record.last) == (EVENT, 1, record.last, record.first)
    assert (len(backlog), backlog.next(1e9), backlog.next_due()) == (0, None, None)


def test_every_event_has_a_name_of_its_own() -> None:
    """After what it is about, and no longer than a name may be."""
    backlog = Backlog()
    long = replace(EVENT, regarding=replace(POLICY, name="x" * 235 + "." + "y" * 17))
    names = []
    for event in (EVENT, WARNING, long):
        _add(backlog, event)
        names.append(_write(backlog).name)
    assert len(set(names)) == 3
    assert names[0].startswith("deny.")
    assert names[2][:236] == "x" * 235 + "."
    assert max(len(name) for name in names) <= 253


def test_repeats_before_the_first_write_are_one_write() -> None:
    """It says how often, when first and when last."""
    backlog = Backlog()
    for at in (0.0, 1.0, 2.0):
        assert _add(backlog, EVENT, at)
    record = _write(backlog, 2.0).record
    assert (record.count, record.first, record.last) == (3, START, START + timedelta(seconds=2))
    assert len(backlog) == 0


def test_repeats_are_told_at_once_and_then_ever_more_rarely() -> None:
    """A repeat every tenth of a second for ten minutes: a handful of writes, and the last one knows them all."""
    backlog = Backlog()
    written: list[float] = []
    for tenth in range(6000):
        at = tenth / 10
        _add(backlog, EVENT, at)
        while (series := backlog.next(at)) is not None:
            backlog.written(series, series.count, at)
            written.append(at)
    assert written[:8] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0]
    assert len(written) == 15
    assert (len(backlog), backlog.next_due()) == (1, written[-1] + 60)
    assert _write(backlog, 700.0).count == 6000


def test_a_repeat_after_a_while_is_told_at_once() -> None:
    """The pause since the last write is over."""
    backlog = Backlog()
    _add(backlog, EVENT)
    _write(backlog)
    _add(backlog, EVENT, 30.0)
    assert _write(backlog, 30.0).count == 2


def test_a_repeat_during_a_write_is_not_lost() -> None:
    """It is told with the next one."""
    backlog = Backlog()
    _add(backlog, EVENT)
    series = backlog.next(0.0)
    assert series is not None
    told = series.record.count
    _add(backlog, EVENT, 0.5)
    backlog.written(series, told, 0.5)
    assert (len(backlog), backlog.next(0.5), backlog.next_due()) == (1, None, 1.5)
    assert _write(backlog, 1.5).record.count == 2


def test_six_quiet_minutes_end_a_series() -> None:
    """What happens then is a new event; a repeat just before goes on with the old one."""
    backlog = Backlog()
    _add(backlog, EVENT)
    first = _write(backlog).name
    _add(backlog, EVENT, 359.0)
    assert _write(backlog, 359.0).name == first
    _add(backlog, EVENT, 719.0)
    again = _write(backlog, 719.0)
    assert (again.name == first, again.count) == (False, 1)


def test_a_series_of_which_something_is_untold_does_not_end() -> None:
    """The API server was away for long."""
    backlog = Backlog()
    _add(backlog, EVENT)
    _add(backlog, EVENT, 1000.0)
    assert _write(backlog, 1000.0).count == 2


def test_warnings_come_first_and_repeats_last() -> None:
    """What needs somebody's attention, then what was never told, in the order in which it happened."""
    backlog = Backlog()
    _add(backlog, EVENT)
    _write(backlog)
    for event in (EVENT, _other(1), _other(2), WARNING):
        _add(backlog, event, 10.0)
    told = [_write(backlog, 10.0).event for _ in range(4)]
    assert told == [WARNING, _other(1), _other(2), EVENT]


def test_a_flood_leaves_room_for_warnings() -> None:
    """500 of each severity may wait; what has no room is refused, repeats of what waits are not."""
    backlog = Backlog()
    taken = [_add(backlog, _other(number)) for number in range(600)]
    assert (taken.count(True), taken[:500]) == (500, [True] * 500)
    assert _add(backlog, _other(0))
    assert _add(backlog, WARNING)
    assert len(backlog) == 501
    _write(backlog)
    _write(backlog)
    assert _add(backlog, _other(600))


def test_one_object_has_only_so_many_stories() -> None:
    """25 different events on one object; others still have room, and so has it once these are over."""
    backlog = Backlog()
    taken = [_add(backlog, replace(EVENT, note=f"Note {number}.")) for number in range(30)]
    assert taken == [True] * 25 + [False] * 5
    assert _add(backlog, replace(EVENT, note="Note 0."))
    assert _add(backlog, _other(1))
    while len(backlog):
        _write(backlog)
    assert not _add(backlog, replace(EVENT, note="Note 31."), 359.0)
    assert _add(backlog, replace(EVENT, note="Note 31."), 361.0)


def test_a_successor_of_a_policy_continues_its_series() -> None:
    """Its event stays on the one it was first seen on."""
    backlog = Backlog()
    for number in range(3):
        _add(backlog, replace(EVENT, regarding=replace(POLICY, uid=f"uid-{number}")))
    series = _write(backlog)
    assert (series.count, series.event.regarding.uid, len(backlog)) == (3, "uid-0", 0)


def test_a_write_that_failed_is_tried_a_few_times() -> None:
    """After 2, 4 and 8 seconds; then it is given up, and a repeat is a new event."""
    backlog = Backlog()
    _add(backlog, EVENT)
    at, pauses = 0.0, []
    while (series := backlog.next(at)) is not None and backlog.failed(series, at):
        due = backlog.next_due()
        assert due is not None
        assert backlog.next(due - 0.1) is None
        pauses.append(due - at)
        at = due
    assert pauses == [2.0, 4.0, 8.0]
    assert (len(backlog), backlog.next_due()) == (0, None)
    _add(backlog, EVENT, at)
    assert _write(backlog, at).count == 1


def test_success_ends_the_counting_of_failures() -> None:
    """Each write has its own tries."""
    backlog = Backlog()
    for at in range(0, 1000, 100):
        _add(backlog, EVENT, at)
        series = backlog.next(at)
        assert series is not None
        assert backlog.failed(series, at)
        _write(backlog, at + 3.0)


def test_at_the_end_everything_is_due() -> None:
    """Also what has a pause."""
    backlog = Backlog()
    _add(backlog, EVENT)
    _write(backlog)
    _add(backlog, EVENT)
    assert backlog.next(0.0) is None
    backlog.hurry()
    assert _write(backlog).count == 2


def test_what_was_told_is_forgotten_in_the_end() -> None:
    """However many events there were: by time, and by number where they come faster than that."""
    backlog = Backlog()
    for number in range(5000):
        _add(backlog, _other(number), number / 100)
        _write(backlog, number / 100)
    assert len(backlog._known) <= 4097
    _add(backlog, _other(9999), 1000.0)
    assert (len(backlog._known), len(backlog._on)) == (1, 1)
