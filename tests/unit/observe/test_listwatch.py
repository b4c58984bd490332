"""Keeping a store equal to a collection: LIST, WATCH, and LIST again where the watch broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import msgspec
import pytest
from structlog.testing import capture_logs

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import Event, Page, decoded
from namespace_isolation.observe import listwatch
from namespace_isolation.observe.listwatch import ListWatch
from tests.support.served import event_of, page_of

Json = dict[str, Any]

WITHIN = 5.0


class Notebook:
    """A store that writes down what it is told."""

    def __init__(self) -> None:
        """Start empty."""
        self.told: list[str] = []
        self.lists = 0

    def read(self, text: bytes | msgspec.Raw) -> str:
        """Keep the name."""
        return str(decoded(text)["metadata"]["name"])

    def replaced(self, values: list[str], resource_version: int) -> None:
        """Note a list."""
        self.told.append(f"list {','.join(values)} at {resource_version}")

    async def before_list(self) -> None:
        """Let others get fresh; nothing of the list may be in the store yet."""
        self.lists += 1
        assert self.lists == 1 + sum(each.startswith("list ") for each in self.told)

    def changed(self, value: str) -> None:
        """Note a change."""
        self.told.append(f"changed {value}")

    def removed(self, value: str) -> None:
        """Note a removal."""
        self.told.append(f"removed {value}")


class Server:
    """A client that serves lists and watches from a script; where the script ends, the watch hangs for ever."""

    def __init__(
        self, lists: Sequence[Sequence[Json] | ApiError], watches: Sequence[Sequence[Json | ApiError]]
    ) -> None:
        """Take `lists`, pages or an error each, and `watches`, events each, with an error where the stream breaks."""
        self.lists, self.watches = list(lists), list(watches)
        self.asked: list[str] = []
        self.done = asyncio.Event()

    async def pages(self, path: str) -> AsyncIterator[Page]:
        """Serve the next list."""
        assert path == "/things"
        self.asked.append("list")
        script = self.lists.pop(0)
        if isinstance(script, ApiError):
            raise script
        for page in script:
            yield page_of(page["items"], int(page["metadata"]["resourceVersion"]))

    async def watch(
        self, path: str, *, resource_version: str, seconds: int, silence: float, heard: Callable[[], None]
    ) -> AsyncIterator[Event]:
        """Serve the next stream, unless it begins with an error, from its beginning."""
        assert path == "/things"
        assert seconds > 0
        assert silence > 0
        self.asked.append(f"watch from {resource_version}")
        if not self.watches:
            self.done.set()
            await asyncio.Event().wait()
        stream = self.watches.pop(0)
        if not stream or not isinstance(stream[0], ApiError):
            heard()
        for event in stream:
            if isinstance(event, ApiError):
                raise event
            yield event_of(event["type"], event["object"])


def _object(name: str, version: int) -> Json:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def _page(version: int, *names: str) -> Json:
    return {"metadata": {"resourceVersion": str(version)}, "items": [_object(name, 1) for name in names]}


def _event(kind: str, name: str, version: int) -> Json:
    return {"type": kind, "object": _object(name, version)}


def _error(status: int) -> ApiError:
    return ApiError(status=status, reason="Expired" if status == 410 else "Broken", message="", request="WATCH /things")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between attempts."""
    monkeypatch.setattr(listwatch, "_FIRST_PAUSE", 0)


async def _follow(server: Server, clock: Callable[[], float] = lambda: 7.0) -> tuple[ListWatch[str], Notebook]:
    """Run until the script of the server is at its end."""
    notebook = Notebook()
    watch = ListWatch(cast("Client", server), "/things", notebook, clock=clock, before_list=notebook.before_list)
    assert not watch.synced.is_set()
    async with asyncio.timeout(WITHIN):
        running = asyncio.ensure_future(watch.run())
        ended = asyncio.ensure_future(server.done.wait())
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if running.done():
            running.result()
        running.cancel()
        await asyncio.wait({running})
    return watch, notebook


async def test_a_list_of_several_pages_is_one_list_and_then_watched_from_its_version() -> None:
    """The store hears of it once it is complete; only then the collection counts as synced."""
    server = Server([[_page(10, "a", "b"), _page(10, "c")]], [])
    watch, notebook = await _follow(server)
    assert notebook.told == ["list a,b,c at 10"]
    assert server.asked == ["list", "watch from 10"]
    assert watch.synced.is_set()


async def test_events_reach_the_store_in_their_order() -> None:
    """Added and modified are the same news; a bookmark is only a version."""
    events = [
        _event("ADDED", "a", 11),
        _event("MODIFIED", "a", 12),
        _event("DELETED", "a", 13),
        _event("BOOKMARK", "", 20),
    ]
    server = Server([[_page(10)]], [events])
    _, notebook = await _follow(server)
    assert notebook.told == ["list  at 10", "changed a", "changed a", "removed a"]
    assert server.asked == ["list", "watch from 10", "watch from 20"]


async def test_a_stream_that_ends_goes_on_from_the_last_version() -> None:
    """The server ends every stream now and then: that is no reason to list."""
    server = Server([[_page(10)]], [[_event("ADDED", "a", 11)], [], [_event("DELETED", "a", 12)]])
    _, notebook = await _follow(server)
    assert server.asked == ["list", "watch from 10", "watch from 11", "watch from 11", "watch from 12"]
    assert notebook.told[1:] == ["changed a", "removed a"]


@pytest.mark.parametrize("when", ["at once", "after an event"])
async def test_a_version_that_is_no_longer_served_lists_again(when: str) -> None:
    """410: what was deleted in the gap shows only in a list."""
    before: list[Json | ApiError] = [] if when == "at once" else [_event("ADDED", "a", 11)]
    server = Server([[_page(10, "x")], [_page(30, "y")]], [[*before, _error(410)]])
    _, notebook = await _follow(server)
    assert server.asked == ["list", "watch from 10", "list", "watch from 30"]
    assert notebook.told[-1] == "list y at 30"
    assert notebook.lists == 2


async def test_a_stream_that_breaks_goes_on_from_the_last_version() -> None:
    """A cut connection and an ERROR event other than 410 cost no list."""
    server = Server([[_page(10)]], [[_event("ADDED", "a", 11), _error(0)], [_error(500)]])
    await _follow(server)
    assert server.asked == ["list", "watch from 10", "watch from 11", "watch from 11"]


async def test_repeated_failures_list_again() -> None:
    """An API server restored from an old snapshot never reaches the version: after three failures it is given up."""
    server = Server([[_page(10)], [_page(5)]], [[_error(500)], [_error(504)], [_error(500)]])
    _, notebook = await _follow(server)
    assert server.asked == ["list", "watch from 10", "watch from 10", "watch from 10", "list", "watch from 5"]
    assert notebook.told == ["list  at 10", "list  at 5"]


async def test_failures_are_counted_anew_after_an_event() -> None:
    """A connection that breaks now and then, but works between, is never listed again."""
    broken: list[list[Json | ApiError]] = [[_event("ADDED", "a", version), _error(0)] for version in range(11, 17)]
    server = Server([[_page(10)]], broken)
    await _follow(server)
    assert server.asked.count("list") == 1


async def test_a_list_that_fails_is_tried_again_and_only_a_complete_one_counts() -> None:
    """No decision is taken on half a list."""
    server = Server([_error(403), _error(0), _error(410), [_page(10, "a")]], [])
    watch, notebook = await _follow(server)
    assert server.asked == ["list", "list", "list", "list", "watch from 10"]
    assert notebook.told == ["list a at 10"]
    assert watch.synced.is_set()


async def test_an_unknown_type_of_event_changes_nothing() -> None:
    """Only its version is taken."""
    server = Server([[_page(10)]], [[_event("ODD", "a", 11)]])
    _, notebook = await _follow(server)
    assert notebook.told == ["list  at 10"]
    assert server.asked[-1] == "watch from 11"


async def test_pauses_grow_and_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server that is down is not hammered."""
    monkeypatch.setattr(listwatch, "_FIRST_PAUSE", 0.05)
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("namespace_isolation.observe.listwatch.asyncio.sleep", sleep)
    server = Server([*(_error(0) for _ in range(15)), [_page(10)]], [])
    await _follow(server)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert max(pauses) == 10.0
    assert pauses == sorted(pauses)


@pytest.mark.parametrize(
    ("streams", "silence"),
    [
        ([[_event("BOOKMARK", "", 20), _error(0)], [_error(0)]], 2),
        ([[], [_error(0)]], 2),
        ([[_error(0)], []], 1),
        ([[_error(0)], [_error(0)]], 3),
    ],
    ids=["a bookmark", "its end", "its beginning", "none"],
)
async def test_silence_lasts_since_the_last_contact(streams: list[list[Json | ApiError]], silence: int) -> None:
    """A stream that begins or that the server ends is a contact, too; one that breaks is none."""
    server = Server([[_page(10)]], streams)
    watch, _ = await _follow(server, lambda: len(server.asked))
    assert server.asked[1:] == [each for each in server.asked if each.startswith("watch")]
    assert (len(server.asked), watch.contact.silence()) == (4, silence)


async def test_lists_are_counted() -> None:
    """The first one and those that had to follow; one that failed is none."""
    server = Server([_error(0), [_page(10)], [_page(20)]], [[_error(410)]])
    watch, _ = await _follow(server)
    assert (watch.contact.collection, watch.contact.lists) == ("things", 2)


async def test_an_outage_is_a_few_lines_and_its_end_is_told() -> None:
    """The first failures, one now and then, and what was missed for how long."""
    server = Server([[_page(10)], *(_error(0) for _ in range(67)), [_page(20)]], [*([_error(0)] for _ in range(3)), []])
    with capture_logs() as lines:
        await _follow(server)
    assert [(line["event"], line.get("lists_again")) for line in lines] == [
        ("watch interrupted", False),
        ("watch interrupted", False),
        ("watch interrupted", True),
        ("watch interrupted", True),
        ("watch interrupted", True),
        ("watch goes on", None),
    ]
    assert (lines[-1]["collection"], lines[-1]["silent_for_seconds"]) == ("things", 0.0)
