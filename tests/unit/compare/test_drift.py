"""The evidence of a drift: which fields differ, and who wrote them last."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from namespace_isolation.compare.drift import drift_of, maker_of
from namespace_isolation.model.plan import UNKNOWN, Drift
from tests.support.objects import policy, stored

Json = dict[str, Any]

WANTED = policy("team.default-deny-all")
RETAINED = policy("team.default-deny-all", owner=False)
_OPEN: Json = {"egress": [{}]}


def _changed(change: Callable[[Json], object], *managers: Json) -> Json:
    document = copy.deepcopy(stored(WANTED.manifest("payments")))
    change(document)
    document["metadata"]["managedFields"] = list(managers)
    return document


def _managed(manager: str, fields: Json, time: str = "2026-01-01T00:00:00Z") -> Json:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields}


def _spec(document: Json) -> Json:
    spec: Json = document["spec"]
    return spec


def _metadata(document: Json) -> Json:
    metadata: Json = document["metadata"]
    return metadata


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (lambda _: None, ()),
        (lambda d: _spec(d).update(_OPEN), ("spec.egress",)),
        (lambda d: _spec(d).update(egress=[], ingress=None), ()),
        (lambda d: _spec(d).update(policyTypes=["Egress", "Ingress"]), ()),
        (lambda d: _spec(d).update(policyTypes=["Ingress"]), ("spec.policyTypes",)),
        (lambda d: _spec(d).update(podSelector={"matchLabels": {"a": "b"}}), ("spec.podSelector",)),
        (lambda d: _spec(d).update(priority=1), ("spec.priority",)),
        (lambda d: d.pop("spec"), ("spec.policyTypes",)),
        (
            lambda d: _metadata(d).update(labels=None),
            ("metadata.labels[app.kubernetes.io/managed-by]", "metadata.labels[nsiso.dev/isolation]"),
        ),
        (lambda d: _metadata(d)["labels"].update(team="x"), ()),
        (
            lambda d: _metadata(d)["annotations"].update({"nsiso.dev/hash": "1-0"}),
            ("metadata.annotations[nsiso.dev/hash]",),
        ),
        (lambda d: _metadata(d).pop("ownerReferences"), ("metadata.ownerReferences",)),
        (lambda d: _metadata(d)["ownerReferences"][0].update(uid="other"), ("metadata.ownerReferences",)),
        (lambda d: _metadata(d)["ownerReferences"][0].update(blockOwnerDeletion=True), ("metadata.ownerReferences",)),
        (lambda d: _metadata(d)["ownerReferences"][0].pop("controller"), ()),
        (
            lambda d: _metadata(d)["ownerReferences"].append(
                {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
            ),
            (),
        ),
        (
            lambda d: (_spec(d).update(_OPEN), _metadata(d)["labels"].clear()),
            (
                "spec.egress",
                "metadata.labels[app.kubernetes.io/managed-by]",
                "metadata.labels[nsiso.dev/isolation]",
            ),
        ),
    ],
    ids=[
        "nothing",
        "a hole in the egress side",
        "empty and null rules are none",
        "the order of the types",
        "a direction less",
        "fewer pods",
        "a field of a later Kubernetes",
        "no spec at all",
        "no labels at all",
        "a foreign label",
        "our hash",
        "no owner",
        "another owner",
        "a blocking owner",
        "an owner without the default",
        "a foreign owner",
        "spec and labels",
    ],
)
def test_the_fields_that_differ_are_named(change: Callable[[Json], object], fields: tuple[str, ...]) -> None:
    """Only what we keep counts; what others may add does not."""
    assert drift_of(WANTED, _changed(change)).fields == fields


def test_an_owner_reference_that_is_not_wanted_is_named() -> None:
    """A retained policy must not carry one: the garbage collector would take it."""
    assert drift_of(RETAINED, stored(WANTED.manifest("payments"))).fields == ("metadata.ownerReferences",)


_EGRESS: Json = {"f:spec": {"f:egress": {}}}
_LABELS: Json = {"f:metadata": {"f:labels": {".": {}, "f:nsiso.dev/isolation": {}}}}
_OWNERS: Json = {"f:metadata": {"f:ownerReferences": {".": {}, 'k:{"uid":"u"}': {}}}}


@pytest.mark.parametrize(
    ("change", "managers", "manager"),
    [
        (lambda d: _spec(d).update(_OPEN), [_managed("kubectl-edit", _EGRESS)], "kubectl-edit"),
        (lambda d: _spec(d).update(_OPEN), [_managed("nsiso", _EGRESS)], UNKNOWN),
        (lambda d: _spec(d).update(_OPEN), [_managed("kubectl-label", _LABELS)], UNKNOWN),
        (lambda d: _spec(d).update(_OPEN), [], UNKNOWN),
        (lambda d: _spec(d).update(_OPEN), [{"manager": "odd"}], UNKNOWN),
        (
            lambda d: _spec(d).update(_OPEN),
            [
                _managed("later", _EGRESS, "2026-01-03T00:00:00Z"),
                _managed("earlier", _EGRESS, "2026-01-02T00:00:00Z"),
                _managed("elsewhere", _LABELS, "2026-01-04T00:00:00Z"),
            ],
            "later",
        ),
        (
            lambda d: _metadata(d)["labels"].update({"nsiso.dev/isolation": "x"}),
            [_managed("kubectl-label", _LABELS)],
            "kubectl-label",
        ),
        (
            lambda d: _metadata(d)["labels"].update({"app.kubernetes.io/managed-by": "x"}),
            [_managed("kubectl-label", _LABELS)],
            UNKNOWN,
        ),
        (
            lambda d: _metadata(d)["ownerReferences"][0].update(uid="u"),
            [_managed("kubectl-patch", _OWNERS)],
            "kubectl-patch",
        ),
        (lambda _: None, [_managed("kubectl-edit", _EGRESS)], UNKNOWN),
    ],
    ids=[
        "who wrote the field",
        "not ourselves",
        "not who wrote another field",
        "nobody known",
        "an entry without fields",
        "the last of several",
        "who wrote the label",
        "not who wrote another label",
        "who wrote the owner",
        "nobody where nothing differs",
    ],
)
def test_the_last_manager_of_a_field_that_differs_is_named(
    change: Callable[[Json], object], managers: list[Json], manager: str
) -> None:
    """Who only removed something leaves no trace: then it is unknown, never a guess."""
    assert drift_of(WANTED, _changed(change, *managers)).manager == manager


def test_no_drift_is_no_evidence() -> None:
    """A policy as stored differs in nothing."""
    assert drift_of(WANTED, stored(WANTED.manifest("payments"))) == Drift()


_TIMED = [_managed("later", _EGRESS, "2026-01-03T00:00:00Z"), _managed("earlier", _EGRESS, "2026-01-02T00:00:00Z")]


@pytest.mark.parametrize(
    ("managers", "drift"),
    [
        (_TIMED, Drift(manager="later", changed="2026-01-03T00:00:00Z")),
        (_TIMED[1:], Drift(manager="earlier", changed="2026-01-02T00:00:00Z")),
        ([_managed("nsiso", _EGRESS)], Drift()),
        ([_managed("kubectl-label", _LABELS)], Drift()),
        ([{"manager": "kubectl", "fieldsV1": _EGRESS}], Drift(manager="kubectl")),
        ([{"fieldsV1": _EGRESS, "time": "2026-01-01T00:00:00Z"}], Drift(changed="2026-01-01T00:00:00Z")),
        ([], Drift()),
    ],
    ids=["the last of several", "the only one", "ourselves", "of labels alone", "no time", "no name", "nobody known"],
)
def test_the_maker_of_what_should_not_be_there(managers: list[Json], drift: Drift) -> None:
    """Who wrote its spec last, and when; of what nobody wants no field differs."""
    assert maker_of(_changed(lambda _: None, *managers)) == drift


def test_when_a_field_was_changed_is_told_with_who_did_it() -> None:
    """As the API server noted it; nothing is said where nobody is known."""
    open_ = _changed(lambda d: _spec(d).update(_OPEN), *_TIMED)
    assert drift_of(WANTED, open_) == Drift(fields=("spec.egress",), manager="later", changed="2026-01-03T00:00:00Z")
    nobody = _changed(lambda d: _spec(d).update(_OPEN), _managed("kubectl-label", _LABELS))
    assert drift_of(WANTED, nobody) == Drift(fields=("spec.egress",), manager="unknown", changed=None)


def test_a_document_without_metadata_has_no_maker() -> None:
    """Nothing is guessed, and nothing fails."""
    assert maker_of({}) == Drift()
    assert maker_of({"metadata": {"managedFields": None}}) == Drift()
