"""Tending an isolation: its status lands on the resource that it is about, and on no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.engine.tend import tend
from namespace_isolation.engine.world import World
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.report.board import Board
from tests.support.objects import PROTECTED, isolation_document

Json = dict[str, Any]


class Server:
    """One isolation, patched as the API server patches it."""

    def __init__(self, **metadata: Any) -> None:  # noqa: ANN401 - any JSON
        """Hold an isolation that selects nothing that there is."""
        self.document: Json | None = isolation_document(finalizers=[FINALIZER], **metadata)
        self.reads = 0

    def _found(self) -> Json:
        if self.document is None:
            raise _refused(404, "NotFound")
        return self.document

    async def get(self, path: str) -> Json:
        """Read it."""
        assert path.endswith("/team")
        self.reads += 1
        return self._found()

    async def patch(self, path: str, body: object, *, content_type: str) -> Json:
        """Write its status, if the tests of the patch hold: a refusal is 422, without a word on the reason."""
        assert path.endswith("/team/status")
        assert content_type == "application/json-patch+json"
        document = self._found()
        for step in cast("list[Mapping[str, Any]]", body):
            if step["op"] == "test":
                assert step["path"] == "/metadata/uid"
                if step["value"] != document["metadata"]["uid"]:
                    raise _refused(422, "Invalid")
            else:
                assert (step["op"], step["path"]) == ("add", "/status")
                version = str(int(document["metadata"]["resourceVersion"]) + 1)
                metadata = {**document["metadata"], "resourceVersion": version}
                document = self.document = {**document, "metadata": metadata, "status": step["value"]}
        return document


def _refused(status: int, reason: str) -> ApiError:
    return ApiError(status=status, reason=reason, message="", request="PATCH /team")


class Fixture:
    """What the engine gives to the story, and a server that is ahead of it."""

    def __init__(self) -> None:
        """Hear of the isolation as the server has it."""
        self.server = Server(uid="old", resourceVersion="5")
        self.published: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
        self.board = Board(now=lambda: datetime.now(UTC), on_news=lambda _: None)
        self.world = World(
            protected=PROTECTED,
            look_at=lambda *_: None,
            tend_to=lambda _: None,
            came=lambda each: self.board.open(each, self.world.isolations.status_of(each.name)),
            went=lambda each: self.board.close(each.name),
            left=self.board.leave,
        )
        assert self.server.document is not None
        self.world.isolations.changed(self.server.document)

    async def tend(self) -> bool:
        """Tend the isolation, and tell whether its status was written."""
        so_far = len(self.published)
        await tend(
            "team",
            world=self.world,
            board=self.board,
            client=cast("Client", self.server),
            now=lambda: datetime.now(UTC),
            published=lambda _, before, after: self.published.append((before, after)),
        )
        return len(self.published) > so_far


async def test_a_status_is_written_once() -> None:
    """And is then known as the cluster has it."""
    seen = Fixture()
    assert await seen.tend()
    assert seen.server.document is not None
    assert seen.server.document["status"] == seen.world.isolations.status_of("team")
    assert not await seen.tend()


async def test_only_a_status_that_was_written_is_told() -> None:
    """Once, with the one before; one that is as it was, or was refused, is no news."""
    seen = Fixture()
    assert await seen.tend()
    assert not await seen.tend()
    (told,) = seen.published
    assert told == ({}, seen.world.isolations.status_of("team"))
    seen.server.document = isolation_document(uid="new", generation=1, resourceVersion="9", finalizers=[FINALIZER])
    with pytest.raises(ApiError):
        await _changed(seen).tend()
    assert seen.published == [told]


def _changed(seen: Fixture) -> Fixture:
    """Let the world hear of another generation, whose status is due."""
    seen.world.isolations.changed(
        isolation_document(uid="old", generation=2, resourceVersion="8", finalizers=[FINALIZER])
    )
    return seen


async def test_a_status_never_lands_on_a_successor_of_the_same_name() -> None:
    """Deleted and made anew before we heard of it: the refusal is answered by reading, and the next try is right."""
    seen = Fixture()
    seen.server.document = isolation_document(uid="new", generation=1, resourceVersion="9", finalizers=[FINALIZER])
    with pytest.raises(ApiError) as refused:
        await seen.tend()
    assert refused.value.status == 422
    assert "status" not in seen.server.document
    assert seen.world.isolations.by_name["team"].uid == "new"
    assert await seen.tend()
    assert seen.server.document["status"]["observedGeneration"] == 1
    assert seen.server.reads == 1


async def test_a_status_of_what_is_gone_is_not_tried_again() -> None:
    """The watch will tell of the deletion."""
    seen = Fixture()
    seen.server.document = None
    assert not await seen.tend()
