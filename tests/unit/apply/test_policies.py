"""Single writes: whatever the API server answers becomes a result that says what is in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from msgspec import structs

from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Release, Step, Update, Wait, Why
from namespace_isolation.observe.policies import PolicyStore
from tests.support.objects import desired_in, isolation, live_from, view

Json = dict[str, Any]

TEAM = isolation()
DENY = desired_in(view(TEAM))["team.default-deny-all"]
_ENDING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


class Server:
    """An API server that answers each verb as told; `stored` changes what a write is answered with."""

    def __init__(
        self,
        *,
        error: ApiError | None = None,
        stored: Callable[[Json], Json] = lambda body: body,
        read: Callable[[Json], Json] = lambda body: body,
    ) -> None:
        """Keep the answers; `read` changes what is read before a write."""
        self.read = read
        self.error = error
        self.stored = stored
        self.sent: list[str] = []
        self.conflicts: list[ApiError] = []
        self.bodies: list[Json] = []
        self.versions: list[int | None] = []

    def _answer(self, verb: str, body: Mapping[str, Any]) -> Json:
        self.sent.append(verb)
        if self.error is not None:
            raise self.error
        metadata = {"uid": "u", **body["metadata"], "resourceVersion": "11"}
        return self.stored({**body, "metadata": metadata})

    async def get(self, path: str) -> Json:
        """Read the policy as it should be."""
        assert path.endswith(DENY.name)
        return self.read(self._answer("get", DENY.manifest("payments")))

    async def create(self, path: str, body: Json) -> Json:
        """Store a new policy."""
        assert path.endswith("/networkpolicies")
        return self._answer("create", body)

    async def replace(self, path: str, body: Json) -> Json:
        """Store a policy anew."""
        assert path.endswith(DENY.name)
        self.bodies.append(body)
        if self.conflicts:
            self.sent.append("replace")
            raise self.conflicts.pop(0)
        return self._answer("replace", body)

    async def delete(self, path: str, *, uid: str, resource_version: int | None = None) -> Json:
        """Delete a policy."""
        assert (path.endswith(DENY.name), uid) == (True, "u")
        self.versions.append(resource_version)
        if self.conflicts:
            self.sent.append("delete")
            raise self.conflicts.pop(0)
        return self._answer("delete", DENY.manifest("payments"))


async def _done(server: Server, step: Step) -> StepResult:
    store = PolicyStore(lambda _: None)
    return await PolicyWriter(cast("Client", server), store).carry_out("payments", step)


def _error(status: int, reason: str, message: str, causes: tuple[str, ...] = ()) -> ApiError:
    return ApiError(status=status, reason=reason, message=message, request="VERB /path", causes=causes)


_CREATE = Create(policy=DENY, why=Why.WANTED)
_UPDATE = Update(policy=DENY, live=live_from(DENY), why=Why.MODIFIED)
_DELETE = Delete(live=live_from(DENY, uid="u"), isolation="team", why=Why.UNWANTED)
_RELEASE = Release(live=live_from(DENY), isolation="team", why=Why.UNWANTED)


@pytest.mark.parametrize("step", [_CREATE, _UPDATE, _DELETE, _RELEASE], ids=lambda step: type(step).__name__)
async def test_a_write_that_the_api_server_stores_is_done(step: Step) -> None:
    """The plain case of each step."""
    assert (await _done(Server(), step)).result is Result.DONE


@pytest.mark.parametrize("step", [_CREATE, _UPDATE], ids=["create", "update"])
async def test_what_admission_changed_is_not_in_place(step: Step) -> None:
    """The failure names the fields."""
    server = Server(stored=lambda body: {**body, "spec": {**body["spec"], "egress": [{}]}})
    done = await _done(server, step)
    assert done.result is Result.FAILED
    assert done.failure is not None
    assert done.failure.reason == "ChangedOnWrite"
    assert "(spec.egress)" in done.failure.message


@pytest.mark.parametrize("step", [_UPDATE, _DELETE], ids=["repaired", "deleted"])
async def test_a_policy_that_a_finalizer_holds_is_waited_for(step: Step) -> None:
    """It is there and will go: neither in place for good nor gone, and the message says how to look."""
    server = Server(stored=lambda body: {**body, "metadata": {**body["metadata"], **_ENDING}})
    done = await _done(server, step)
    assert done.result is Result.FAILED
    assert done.failure is not None
    assert done.failure.reason == "HeldByFinalizer"
    assert "kubectl get networkpolicy -n payments team.default-deny-all" in done.failure.message


async def test_waiting_asks_the_api_server_nothing() -> None:
    """It was deleted already."""
    server = Server()
    step = Wait(live=live_from(DENY, ending=True), isolation="team", why=Why.UNWANTED, wanted=False)
    assert (await _done(server, step)).result is Result.FAILED
    assert server.sent == []


@pytest.mark.parametrize(
    ("error", "step", "result"),
    [
        pytest.param(_error(404, "NotFound", 'networkpolicies "x" not found'), _DELETE, Result.MOOT, id="gone already"),
        pytest.param(
            _error(409, "Conflict", "Precondition failed: UID in precondition: u"), _DELETE, Result.MOOT, id="another"
        ),
        pytest.param(_error(409, "Conflict", "admission says no"), _DELETE, Result.FAILED, id="refused with 409"),
        pytest.param(_error(409, "AlreadyExists", "exists"), _CREATE, Result.FAILED, id="made meanwhile"),
        pytest.param(_error(403, "Forbidden", "no"), _CREATE, Result.FAILED, id="forbidden"),
        pytest.param(
            _error(403, "Forbidden", "no", ("NamespaceTerminating",)), _CREATE, Result.MOOT, id="namespace ending"
        ),
        pytest.param(
            _error(404, "NotFound", 'namespaces "payments" not found'), _CREATE, Result.MOOT, id="no namespace"
        ),
        pytest.param(_error(0, "Timeout", "no answer"), _UPDATE, Result.FAILED, id="no answer"),
    ],
)
async def test_refusals(error: ApiError, step: Step, result: Result) -> None:
    """What cannot matter any more is moot; the rest is a failure with the server's words."""
    done = await _done(Server(error=error), step)
    assert done.result is result
    assert (done.failure is not None) is (result is Result.FAILED)


async def test_a_policy_that_cannot_be_read_is_an_error_and_one_that_is_gone_is_not() -> None:
    """An order that rests on what was not read would be a guess."""
    gone = PolicyWriter(cast("Client", Server(error=_error(404, "NotFound", "gone"))), PolicyStore(lambda _: None))
    assert await gone.read("payments", DENY.name) is None
    broken = PolicyWriter(cast("Client", Server(error=_error(500, "Broken", "no"))), PolicyStore(lambda _: None))
    with pytest.raises(ApiError):
        await broken.read("payments", DENY.name)


_EDITED = {
    "manager": "kubectl-create",
    "operation": "Update",
    "time": "2026-01-02T00:00:00Z",
    "fieldsV1": {"f:spec": {"f:policyTypes": {}}},
}


def _with_maker(body: Json) -> Json:
    return {**body, "metadata": {**body["metadata"], "managedFields": [_EDITED]}}


async def test_a_policy_too_many_is_read_before_it_goes() -> None:
    """Who made it is told; afterwards nobody could."""
    server = Server(stored=_with_maker)
    done = await _done(server, replace(_DELETE, why=Why.EXTRA))
    assert done.drift == Drift(manager="kubectl-create", changed="2026-01-02T00:00:00Z")
    assert server.sent == ["get", "delete"]


@pytest.mark.parametrize("why", [Why.UNWANTED, Why.UNMANAGED])
async def test_what_is_no_drift_is_not_read_before_it_goes(why: Why) -> None:
    """Our own work, or somebody else's: there is nobody to look for."""
    server = Server()
    done = await _done(server, replace(_DELETE, why=why))
    assert (done.result, done.drift, server.sent) == (Result.DONE, None, ["delete"])


async def test_a_deletion_that_was_undone_names_nobody() -> None:
    """The API server keeps no trace of who it was."""
    done = await _done(Server(), replace(_CREATE, why=Why.DELETED))
    assert done.drift == Drift(fields=(), manager="unknown", changed=None)


async def test_an_edit_that_was_undone_names_who_made_it() -> None:
    """By the document as it was before the repair."""

    def opened(body: Json) -> Json:
        fields: Json = {"f:spec": {"f:egress": {}}}
        metadata = {**body["metadata"], "managedFields": [{**_EDITED, "fieldsV1": fields}]}
        return {**body, "metadata": metadata, "spec": {**body["spec"], "egress": [{}]}}

    done = await _done(Server(read=opened), _UPDATE)
    assert done.drift == Drift(fields=("spec.egress",), manager="kubectl-create", changed="2026-01-02T00:00:00Z")


# Measured on kube-apiserver 1.36: registry and storage have words of their own.
_OLD_VERSION = [
    "the ResourceVersion in the precondition (3) does not match the ResourceVersion in record (11)",
    "Precondition failed: ResourceVersion in precondition: 3, ResourceVersion in object meta: 11",
]
_UNMANAGED = replace(_DELETE, why=Why.UNMANAGED, live=structs.replace(_DELETE.live, resource_version=3))


@pytest.mark.parametrize("words", _OLD_VERSION, ids=["registry", "storage"])
async def test_somebody_elses_policy_that_only_got_a_new_version_goes_all_the_same(words: str) -> None:
    """A tenant who labels it anew all the time does not keep it."""
    server = Server()
    server.conflicts = [_error(409, "Conflict", words)] * 2
    assert (await _done(server, _UNMANAGED)).result is Result.DONE
    assert server.versions == [3, 11, 11]


@pytest.mark.parametrize("words", _OLD_VERSION, ids=["registry", "storage"])
async def test_somebody_elses_policy_that_was_changed_since_is_looked_at_again(words: str) -> None:
    """It may allow nothing any more. It is still there: nobody may take it for gone."""
    server, store = Server(), PolicyStore(lambda _: None)
    changed = replace(_UNMANAGED, live=structs.replace(_UNMANAGED.live, digest="0"))
    store.changed(changed.live)
    server.conflicts = [_error(409, "Conflict", words)]
    done = await PolicyWriter(cast("Client", server), store).carry_out("payments", changed)
    assert done.result is Result.FAILED
    assert server.versions == [3]
    assert set(store.live_in("payments")) == {DENY.name}


@pytest.mark.parametrize(
    "words",
    [
        "the UID in the precondition (u) does not match the UID in record (v)",
        "Precondition failed: UID in precondition: u, UID in object meta: v",
    ],
    ids=["registry", "storage"],
)
@pytest.mark.parametrize("step", [_DELETE, _UNMANAGED], ids=["ours", "somebody else's"])
async def test_what_was_made_anew_meanwhile_is_another_one(step: Delete, words: str) -> None:
    """The one that was to go is gone."""
    server = Server()
    server.conflicts = [_error(409, "Conflict", words)]
    assert (await _done(server, step)).result is Result.MOOT


# Our own older work

_OWN = Update(policy=DENY, live=live_from(DENY, uid="u", digest="0", resource_version=7), why=Why.OUTDATED)
_CONFLICT = _error(409, "Conflict", "the object has been modified")


async def test_our_own_older_work_is_written_anew_unread() -> None:
    """Nobody else has put anything on it; uid and resourceVersion guard that it is still so."""
    server = Server()
    assert (await _done(server, _OWN)).result is Result.DONE
    assert server.sent == ["replace"]
    (body,) = server.bodies
    wanted = DENY.manifest("payments")
    assert body == {**wanted, "metadata": {**wanted["metadata"], "uid": "u", "resourceVersion": "7"}}


@pytest.mark.parametrize(
    "step",
    [replace(_OWN, live=structs.replace(_OWN.live, bare=False)), replace(_OWN, why=Why.MODIFIED)],
    ids=["others use the object", "drift"],
)
async def test_what_holds_something_of_others_is_read_first(step: Step) -> None:
    """Their labels and the evidence of a drift are in the object as it is now."""
    server = Server()
    assert (await _done(server, step)).result is Result.DONE
    assert server.sent == ["get", "replace"]


async def test_what_somebody_changed_meanwhile_is_read_after_all() -> None:
    """The guard refuses the write, and what is there now is repaired with everything of others in place."""
    server = Server(read=lambda body: {**body, "metadata": {**body["metadata"], "finalizers": ["example.com/hold"]}})
    server.conflicts = [_CONFLICT]
    assert (await _done(server, _OWN)).result is Result.DONE
    assert server.sent == ["replace", "get", "replace"]
    assert server.bodies[-1]["metadata"]["finalizers"] == ["example.com/hold"]


async def test_our_own_older_work_that_is_gone_is_moot_or_failed_as_any_other() -> None:
    """The answer to the write decides; nothing is read for it."""
    server = Server(error=_error(403, "Forbidden", "no"))
    done = await _done(server, _OWN)
    assert (done.result, server.sent) == (Result.FAILED, ["replace"])
