"""The only writes of NetworkPolicies: create, repair, delete; every API error becomes a result here, once."""

from __future__ import annotations

from typing import Any, Final, Protocol

from namespace_isolation.apply.manifest import released, renewed, repaired
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.compare.drift import drift_of, maker_of
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import LivePolicy, Policy
from namespace_isolation.observe.served_policy import policies_path, read_policy

__all__ = ["CHANGED_ON_WRITE", "PolicyWriter", "Witness"]

Json = dict[str, Any]

CHANGED_ON_WRITE: Final = "ChangedOnWrite"
"""The reason of a write whose answer is not what was sent."""

_CONFLICT = 409
_NOT_FOUND = 404
_FORBIDDEN = 403
_TRIES = 4
_ANOTHER_UID = ("UID in precondition:", "the UID in the precondition")


class Witness(Protocol):
    """Who keeps the picture of the cluster and must know our own writes from others'."""

    def expect(self, namespace: str, policy: Policy) -> None:
        """Hear that this content is about to be written."""

    def written(self, document: Json) -> LivePolicy:
        """Hear what the API server stored for us, and read it."""

    def expect_gone(self, namespace: str, name: str, uid: str) -> None:
        """Hear that we are about to delete a policy."""

    def gone(self, namespace: str, name: str, uid: str) -> None:
        """Hear that a policy is gone."""

    def settled(self, namespace: str, name: str) -> None:
        """Hear that the write ended, well or not: what comes from now on is not its echo."""


class PolicyWriter:
    """Carries out single steps against the API server."""

    def __init__(self, client: Client, witness: Witness) -> None:
        """Write through `client` and tell `witness` of every write."""
        self._client = client
        self._witness = witness

    async def read(self, namespace: str, name: str) -> Json | None:
        """Give a policy as served; None where it is gone. Raises ApiError where it cannot be read now."""
        try:
            return await self._client.get(policies_path(namespace, name))
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Carry out one step; whatever the API server answers becomes a result."""
        try:
            return await self._do(namespace, step)
        except ApiError as error:
            return _refused(step, error)
        finally:
            self._witness.settled(namespace, step.name)

    async def _do(self, namespace: str, step: Step) -> StepResult:
        match step:
            case Create():
                return await self._create(namespace, step)
            case Update():
                return await self._update(namespace, step)
            case Delete():
                return await self._delete(namespace, step)
            case Release():
                return await self._release(namespace, step)
            case Wait():
                return _waiting(namespace, step)

    async def _create(self, namespace: str, step: Create) -> StepResult:
        self._witness.expect(namespace, step.policy)
        body = step.policy.manifest(namespace)
        stored = await self._client.create(policies_path(namespace), body)
        return self._result(step, stored, Drift() if step.why.is_drift else None)

    async def _update(self, namespace: str, step: Update) -> StepResult:
        """Repair from the object as it is now; somebody else's write in between means looking again."""
        path = policies_path(namespace, step.name)
        self._witness.expect(namespace, step.policy)
        if step.is_own_change and step.live.bare:
            stored = await self._renewed(path, step)
            if stored is not None:
                return self._result(step, stored, None)
        for attempt in range(1, _TRIES + 1):
            document = await self._client.get(path)
            drift = drift_of(step.policy, document) if step.why.is_drift else None
            try:
                stored = await self._client.replace(path, repaired(step.policy, document))
            except ApiError as error:
                if error.status != _CONFLICT or attempt == _TRIES:
                    return _refused(step, error, drift)
                continue
            return self._result(step, stored, drift)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _renewed(self, path: str, step: Update) -> Json | None:
        """Write our own older work anew unread: there is nothing of others to keep, and nothing to find out.

        None where it is not, or no longer, as it was seen: uid and resourceVersion guard that.
        """
        try:
            return await self._client.replace(path, renewed(step.policy, step.live))
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
            return None

    def _result(self, step: Create | Update, stored: Json, drift: Drift | None) -> StepResult:
        """Say whether what was stored is what was written: admission may change it, and then nothing is in place."""
        live = self._witness.written(stored)
        if live.matches(step.policy) and live.ending:
            return _waiting(live.namespace, Wait(live=live, isolation=step.isolation, why=step.why, wanted=True))
        if live.matches(step.policy):
            return StepResult(step=step, result=Result.DONE, drift=drift)
        fields = ", ".join(drift_of(step.policy, stored).fields)
        failure = Failure(
            reason=CHANGED_ON_WRITE,
            message=f"{live.name}: the API server stored something else than was written ({fields}); what changes it: "
            "kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies",
        )
        return StepResult(step=step, result=Result.FAILED, failure=failure, drift=drift)

    async def _release(self, namespace: str, step: Release) -> StepResult:
        path = policies_path(namespace, step.name)
        document = await self._client.get(path)
        self._witness.written(await self._client.replace(path, released(document)))
        return StepResult(step=step, result=Result.DONE)

    async def _delete(self, namespace: str, step: Delete) -> StepResult:
        uid = step.live.uid
        drift = await self._maker(namespace, step) if step.why.is_drift else None
        self._witness.expect_gone(namespace, step.name, uid)
        try:
            answer = await self._remove(namespace, step)
        except ApiError as error:
            if error.status != _NOT_FOUND and not _is_another(error):
                return _refused(step, error, drift)
            # Gone already, or another one of that name by now: that one will be looked at when it is seen.
            self._witness.gone(namespace, step.name, uid)
            return StepResult(step=step, result=Result.MOOT)
        if answer.get("metadata", {}).get("deletionTimestamp"):
            live = self._witness.written(answer)
            waiting = Wait(live=live, isolation=step.isolation, why=step.why, wanted=False)
            return _waiting(namespace, waiting)
        self._witness.gone(namespace, step.name, uid)
        return StepResult(step=step, result=Result.DONE, drift=drift)

    async def _remove(self, namespace: str, step: Delete) -> Json:
        """Delete what was looked at; somebody else's policy goes for what it allows, so only while that is the same."""
        path, uid = policies_path(namespace, step.name), step.live.uid
        if step.why is not Why.UNMANAGED:
            return await self._client.delete(path, uid=uid)
        live = step.live
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._client.delete(path, uid=uid, resource_version=live.resource_version)
            except ApiError as error:
                if error.status != _CONFLICT or _is_another(error) or attempt == _TRIES:
                    raise
                live = read_policy(await self._client.get(path))
                if not live.same_content(step.live):
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _maker(self, namespace: str, step: Delete) -> Drift:
        """Read who made a policy that nobody wants, before it is gone."""
        document = await self.read(namespace, step.name)
        return Drift() if document is None else maker_of(document)


def _refused(step: Step, error: ApiError, drift: Drift | None = None) -> StepResult:
    """Make a refusal a result, with the evidence of the drift that stays because of it."""
    if _namespace_went_away(error):
        return StepResult(step=step, result=Result.MOOT)
    return StepResult(step=step, result=Result.FAILED, failure=error.failure, drift=drift)


def _is_another(error: ApiError) -> bool:
    """Whether the uid that was to be deleted is not the one that is there.

    Storage and registry say so in different words (measured on 1.36), and have much the same ones for a version that is
    not the expected one. Admission may answer 409, too.
    """
    return error.status == _CONFLICT and any(words in error.message for words in _ANOTHER_UID)


def _waiting(namespace: str, step: Wait) -> StepResult:
    then = "it works until that is removed, and is then made anew" if step.wanted else "it works until that is removed"
    message = (
        f"{step.name} was deleted, but a finalizer holds it, and {then}: "
        f"kubectl get networkpolicy -n {namespace} {step.name} -o yaml shows whose"
    )
    return StepResult(step=step, result=Result.FAILED, failure=Failure(reason="HeldByFinalizer", message=message))


def _namespace_went_away(error: ApiError) -> bool:
    """Whether a write failed because its namespace is being deleted or is gone: no error, and no retry."""
    if error.status == _FORBIDDEN:
        return error.namespace_is_ending
    return error.status == _NOT_FOUND and 'namespaces "' in error.message
