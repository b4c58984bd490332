"""Writing events: one object, then patches of its series, and what is done about every answer."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest

from namespace_isolation.apply.events import event_body, write_event
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.model.event import Event, EventRecord, Regarding

Json = dict[str, Any]

EVENT = Event(
    kind="Warning",
    reason="Fight",
    action="BackOff",
    note="It is changed back.",
    regarding=Regarding(
        api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace="payments", name="deny", uid="u-1"
    ),
)
ONCE = EventRecord(
    event=EVENT,
    name="deny.0123456789abcdef",
    count=1,
    first=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    last=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
)
AGAIN = replace(ONCE, count=7, last=datetime(2026, 1, 2, 5, 0, 0, tzinfo=timezone(timedelta(hours=1))))
SERIES = {"count": 7, "lastObservedTime": "2026-01-02T04:00:00.000000Z"}
COLLECTION = "/apis/events.k8s.io/v1/namespaces/payments/events"


class Server:
    """Answers each request with the next of the given statuses, and remembers what was asked."""

    def __init__(self, *answers: ApiError | None) -> None:
        """Answer with success once the given ones are used up."""
        self.asked: list[tuple[str, str, object]] = []
        self._answers = deque(answers)

    async def create(self, path: str, body: Json) -> Json:
        """Create an object."""
        return self._answer("create", path, body)

    async def patch(self, path: str, body: Json) -> Json:
        """Patch an object."""
        return self._answer("patch", path, body)

    def _answer(self, verb: str, path: str, body: Json) -> Json:
        self.asked.append((verb, path, body))
        answer = self._answers.popleft() if self._answers else None
        if answer is not None:
            raise answer
        return body

    @property
    def verbs(self) -> list[str]:
        """What was asked, in a word each."""
        return [verb for verb, _, _ in self.asked]


def _refusal(status: int, reason: str, *, cause: str = "") -> ApiError:
    return ApiError(status=status, reason=reason, message="no", request="", causes=(cause,) if cause else ())


async def _write(server: Server, record: EventRecord, *, exists: bool) -> bool:
    return await write_event(cast("Client", server), record, instance="operator-0", exists=exists)


async def test_a_first_occurrence_is_an_object() -> None:
    """Word for word."""
    server = Server()
    assert await _write(server, ONCE, exists=False)
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "deny.0123456789abcdef", "namespace": "payments"},
        "eventTime": "2026-01-02T03:04:05.000678Z",
        "reportingController": "nsiso.dev/operator",
        "reportingInstance": "operator-0",
        "type": "Warning",
        "reason": "Fight",
        "action": "BackOff",
        "note": "It is changed back.",
        "regarding": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "namespace": "payments",
            "name": "deny",
            "uid": "u-1",
        },
    }
    assert server.asked == [("create", COLLECTION, body)]


async def test_what_happened_again_before_it_was_written_is_an_object_with_a_series() -> None:
    """One write for all of them."""
    server = Server()
    assert await _write(server, AGAIN, exists=False)
    ((verb, _, body),) = server.asked
    assert (verb, cast("Json", body)["series"]) == ("create", SERIES)


async def test_repeats_are_a_patch_of_the_series_alone() -> None:
    """Nothing else of an event may change."""
    server = Server()
    assert await _write(server, AGAIN, exists=True)
    assert server.asked == [("patch", f"{COLLECTION}/deny.0123456789abcdef", {"series": SERIES})]


async def test_a_series_that_is_gone_is_written_anew() -> None:
    """The API server keeps an event for an hour."""
    server = Server(_refusal(404, "NotFound"))
    assert await _write(server, AGAIN, exists=True)
    assert server.verbs == ["patch", "create"]


@pytest.mark.parametrize(("record", "verbs"), [(ONCE, ["create"]), (AGAIN, ["create", "patch"])])
async def test_an_event_that_is_there_already_was_ours(record: EventRecord, verbs: list[str]) -> None:
    """The answer to an earlier try was lost; what happened since is patched."""
    server = Server(_refusal(409, "AlreadyExists"))
    assert await _write(server, record, exists=False)
    assert server.verbs == verbs


@pytest.mark.parametrize(
    "answer",
    [_refusal(403, "Forbidden", cause="NamespaceTerminating"), _refusal(404, "NotFound")],
    ids=["ending", "gone"],
)
async def test_a_namespace_that_ends_takes_no_event_and_that_is_no_failure(answer: ApiError) -> None:
    """Nobody would read it."""
    assert not await _write(Server(answer), ONCE, exists=False)


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("answer", [_refusal(403, "Forbidden"), _refusal(0, "Timeout"), _refusal(409, "Conflict")])
async def test_any_other_refusal_is_raised(answer: ApiError, exists: bool) -> None:  # noqa: FBT001 - a column
    """The caller decides whether to try again."""
    with pytest.raises(ApiError):
        await _write(Server(answer), AGAIN, exists=exists)


def test_the_object_keeps_the_bounds_of_the_api() -> None:
    """Whatever the parts hold."""
    long = replace(EVENT, reason="R" * 999, action="A" * 999, note="n\x00" * 9999)
    body = event_body(replace(ONCE, event=long), "host" * 99)
    sizes = {key: len(body[key].encode()) for key in ("reason", "action", "note", "reportingInstance")}
    assert sizes == {"reason": 128, "action": 128, "note": 1024, "reportingInstance": 128}


def test_the_regarded_object_of_the_cluster_has_no_namespace_and_maybe_no_uid() -> None:
    """What nobody knows is left out."""
    of = Regarding(api_version="nsiso.dev/v1alpha1", kind="NamespaceIsolation", namespace=None, name="team")
    body = event_body(replace(ONCE, event=replace(EVENT, regarding=of)), "host")
    assert body["metadata"]["namespace"] == "default"
    assert body["regarding"] == {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": "team"}
