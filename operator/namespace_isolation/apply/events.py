"""The only writes of Events: the first occurrence is an object, repeats are a patch of its series."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.model.event import NOTE_BYTES, Event, EventRecord, plain
from namespace_isolation.model.names import REPORTING_CONTROLLER

__all__ = ["EVENTS", "event_body", "events_path", "write_event"]

Json = dict[str, Any]

EVENTS: Final = "events.k8s.io/v1"

_WORD_BYTES: Final = 128
"""What the API allows for reason, action and reportingInstance."""
_NOT_FOUND: Final = 404
_ALREADY_EXISTS: Final = "AlreadyExists"


def events_path(namespace: str, name: str | None = None) -> str:
    """Give the path of the events of a namespace, or of one of them."""
    collection = f"/apis/{EVENTS}/namespaces/{namespace}/events"
    return collection if name is None else f"{collection}/{name}"


async def write_event(client: Client, record: EventRecord, *, instance: str, exists: bool) -> bool:
    """Write an event, or the series of one that `exists`, and tell whether its namespace still took it.

    `instance` is who writes: the name of the pod or host. Raises ApiError where the write failed otherwise.
    """
    if exists and await _patch(client, record):
        return True
    try:
        await client.create(events_path(record.event.namespace), event_body(record, instance))
    except ApiError as error:
        if error.namespace_is_ending or error.status == _NOT_FOUND:
            return False
        if error.reason != _ALREADY_EXISTS:
            raise
        # An earlier try was stored and its answer lost: the name is nobody else's.
        return record.count == 1 or await _patch(client, record)
    return True


def event_body(record: EventRecord, instance: str) -> Json:
    """Write the whole object; the API server refuses an event with a part that is too long."""
    event = record.event
    body: Json = {
        "apiVersion": EVENTS,
        "kind": "Event",
        "metadata": {"name": record.name, "namespace": event.namespace},
        "eventTime": _micro_time(record.first),
        "reportingController": REPORTING_CONTROLLER,
        "reportingInstance": plain(instance, _WORD_BYTES),
        "type": event.kind,
        "reason": plain(event.reason, _WORD_BYTES),
        "action": plain(event.action, _WORD_BYTES),
        "note": plain(event.note, NOTE_BYTES),
        "regarding": _reference(event),
    }
    return body if record.count == 1 else body | _series(record)


async def _patch(client: Client, record: EventRecord) -> bool:
    """Write how often it happened; False where the event is gone: the API server keeps one for an hour."""
    try:
        await client.patch(events_path(record.event.namespace, record.name), _series(record))
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return False
        raise
    return True


def _series(record: EventRecord) -> Json:
    return {"series": {"count": record.count, "lastObservedTime": _micro_time(record.last)}}


def _reference(event: Event) -> Json:
    of = event.regarding
    facts = {"namespace": of.namespace, "uid": of.uid}
    known = {key: value for key, value in facts.items() if value is not None}
    return {"apiVersion": of.api_version, "kind": of.kind, "name": of.name, **known}


def _micro_time(moment: datetime) -> str:
    """Write a moment as metav1.MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
