"""Listing the isolations: at start, soon again, and then now and then; what fails is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import Page
from namespace_isolation.observe.isolation_lists import IsolationLists
from namespace_isolation.observe.isolations import IsolationStore
from tests.support.fighting import Clock
from tests.support.objects import isolation_document
from tests.support.served import page_of

Json = dict[str, Any]

WITHIN = 5.0
_MISSING = ApiError(status=404, reason="NotFound", message="", request="GET /")
_BROKEN = ApiError(status=500, reason="Broken", message="", request="GET /")


class Server:
    """A client that serves lists from a script, an error or the names of each page."""

    def __init__(self, script: Sequence[Sequence[Sequence[str]] | ApiError]) -> None:
        """Serve `script`; pages have the versions 10, 20 …, by list."""
        self.script = list(script)
        self.lists = 0

    async def pages(self, path: str) -> AsyncIterator[Page]:
        """Serve the next list."""
        assert path == "/apis/nsiso.dev/v1alpha1/namespaceisolations"
        self.lists += 1
        script = self.script.pop(0)
        if isinstance(script, ApiError):
            raise script
        for names in script:
            version = 10 * self.lists
            yield page_of([isolation_document(name, resourceVersion=str(version)) for name in names], version)


class Fixture:
    """Lists, and the store that they fill."""

    def __init__(self, *script: Sequence[Sequence[str]] | ApiError, interval: float = 300.0) -> None:
        """List what the script says."""
        self.clock = Clock()
        self.store = IsolationStore(lambda _, __: None)
        self.server = Server(script)
        self.pauses: list[float] = []
        self.lists = IsolationLists(cast("Client", self.server), self.store, clock=self.clock, interval=interval)

    async def run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """List until the script is at its end; pauses are noted and not made."""
        done = asyncio.Event()

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            self.clock.now += seconds
            if not self.server.script:
                done.set()
                await asyncio.Event().wait()

        monkeypatch.setattr(asyncio, "sleep", sleep)
        running = asyncio.ensure_future(self.lists.run())
        async with asyncio.timeout(WITHIN):
            await done.wait()
        running.cancel()
        await asyncio.wait({running})

    @property
    def names(self) -> set[str]:
        """Which isolations are known."""
        return set(self.store.by_name)


async def test_the_second_list_comes_soon_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes between the first one and Kopf's is told by neither; from then on they come now and then."""
    seen = Fixture([["a", "b"]], [["a"]], [["a"]])
    assert not seen.lists.listed.is_set()
    await seen.run(monkeypatch)
    assert seen.pauses == [10.0, 300.0, 300.0]
    assert seen.names == {"a"}
    assert seen.lists.listed.is_set()
    assert seen.lists.contact.lists == 3


async def test_no_list_comes_later_than_the_interval_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is short, the second one is not soon but in time."""
    seen = Fixture([["a"]], [["a"]], interval=3.0)
    await seen.run(monkeypatch)
    assert seen.pauses == [3.0, 3.0]


async def test_several_pages_are_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is missing before the last has come."""
    seen = Fixture([["a"], [], ["b", "c"]])
    await seen.run(monkeypatch)
    assert seen.names == {"a", "b", "c"}
    assert seen.lists.contact.lists == 1


# sentence: the errors before a list, and whether the API server counts as heard of meanwhile
_ERRORS: dict[str, tuple[list[ApiError], bool]] = {
    "the CRD is missing": ([_MISSING, _MISSING], True),
    "nothing is answered": ([_BROKEN, _BROKEN], False),
}


@pytest.mark.parametrize(("errors", "heard"), _ERRORS.values(), ids=_ERRORS.keys())
async def test_what_fails_is_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch, errors: list[ApiError], *, heard: bool
) -> None:
    """A missing CRD is an answer: a restart would not bring it."""
    seen = Fixture(*errors)
    await seen.run(monkeypatch)
    assert seen.pauses == [2.0, 2.0]
    assert not seen.lists.listed.is_set()
    assert seen.lists.contact.silence() == (2.0 if heard else 4.0)


async def test_the_list_after_a_failure_is_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is still to come soon after it."""
    seen = Fixture(_MISSING, [["a"]], _BROKEN, [["a"]])
    await seen.run(monkeypatch)
    assert seen.pauses == [2.0, 10.0, 2.0, 300.0]


async def test_a_failure_that_lasts_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """And at once where it is another one, or comes back."""
    seen = Fixture(*[_MISSING] * 151, _BROKEN, [["a"]], _BROKEN)
    with capture_logs() as lines:
        await seen.run(monkeypatch)
    assert [line["log_level"] for line in lines] == ["error", "error", "warning", "warning"]


async def test_nothing_is_listed_again_before_the_first_time() -> None:
    """Whoever waits for a fresh list then has it from the first."""
    seen = Fixture([["a"]])
    await seen.lists.again()
    assert seen.server.lists == 0


async def test_a_list_from_an_older_history_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is told what was seen when the list was asked for."""
    seen = Fixture([["a"]], [["a"]])
    seen.store.changed(isolation_document("a", resourceVersion="100"))
    seen.store.changed(isolation_document("b", resourceVersion="101"))
    await seen.run(monkeypatch)
    assert seen.names == {"a"}
    assert seen.store.by_name["a"].resource_version == 20


async def test_a_failure_of_a_list_that_somebody_waits_for_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """They must not go on with a picture that is not fresh."""
    seen = Fixture([["a"]])
    await seen.run(monkeypatch)
    seen.server.script = [_BROKEN]
    with pytest.raises(ApiError):
        await seen.lists.again()
