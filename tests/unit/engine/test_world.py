"""The picture of the cluster: who is told, and what keeps a deleted isolation."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.cluster.served import encoded
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Stance
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.model.policy import Policy
from tests.support.fake_cluster import FakeCluster
from tests.support.objects import PROTECTED, foreign_document, isolation_document, namespace_document, policy, stored
from tests.support.served import texts

Json = dict[str, Any]

NAME = "team.default-deny-all"
_ENDING: Json = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
_SPEC: Json = {"namespaces": {"names": ["payments"]}}
_AUDIT: Json = {**_SPEC, "mode": "Audit"}
_RETAIN: Json = {**_SPEC, "deletionPolicy": "Retain"}
_BAD: Json = {**_SPEC, "mode": "Dry"}


class Fixture:
    """A world that heard of an isolation, the namespace payments, and one policy of the isolation there."""

    def __init__(self, spec: Json | None = None, **metadata: Any) -> None:  # noqa: ANN401 - any JSON
        """`metadata` is the isolation's."""
        self.tended: list[str] = []
        self.cluster = FakeCluster()
        self.world = World(
            protected=PROTECTED,
            look_at=lambda *_: None,
            tend_to=self.tended.append,
            came=lambda _: None,
            went=lambda _: None,
            left=lambda _, __: None,
        )
        self.world.policies.replaced([], 1)
        self.cluster.set_namespace("payments", {})
        self.cluster.put(
            "isolations", "team", isolation_document("team", spec, **{"finalizers": [FINALIZER], **metadata})
        )
        self.put(policy(NAME))
        self.hear()

    def put(self, wanted: Policy, **metadata: Any) -> None:  # noqa: ANN401 - any JSON
        """Put a policy of the isolation in place, owned by it."""
        document = stored(wanted.manifest("payments"))
        uid = self.cluster.objects["isolations"]["team"]["metadata"]["uid"]
        document["metadata"]["ownerReferences"][0]["uid"] = uid
        document["metadata"] |= metadata
        self.cluster.put("policies", f"payments/{wanted.name}", document)

    def hear(self) -> list[str]:
        """Let the news arrive, and tell who is tended because of them."""
        self.tended.clear()
        self.cluster.deliver_all(self.world)
        return self.tended

    def change(self, **metadata: Any) -> None:  # noqa: ANN401 - any JSON
        """Let somebody change the policy's metadata."""
        key = f"payments/{NAME}"
        document = self.cluster.objects["policies"][key]
        self.cluster.put("policies", key, {**document, "metadata": {**document["metadata"], **metadata}})

    @property
    def held(self) -> bool:
        """Whether the policy holds the isolation back."""
        return self.world.holds_back(self.world.isolations.by_name["team"])


@pytest.mark.parametrize("spec", [None, _AUDIT, _BAD], ids=["accepted", "in Audit", "not accepted"])
@pytest.mark.parametrize("how", ["deleted", "held by a finalizer", "disowned"])
def test_a_deleted_isolation_is_tended_when_somebody_else_takes_its_last_policy(spec: Json | None, how: str) -> None:
    """No reconcile has anything to do then, so nobody else would see that its finalizer may go."""
    seen = Fixture(spec, **_ENDING)
    assert seen.held
    match how:
        case "deleted":
            seen.cluster.remove("policies", f"payments/{NAME}")
        case "disowned":
            other = [{"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": "other", "uid": "o"}]
            seen.change(ownerReferences=other)
        case _:
            seen.change(**_ENDING, finalizers=["example.com/hold"])
    assert "team" in seen.hear()
    assert not seen.held


def test_an_isolation_that_stays_is_not_tended_for_each_policy() -> None:
    """The reconcile of the namespace reports; the news of a policy costs nothing else."""
    seen = Fixture()
    seen.cluster.remove("policies", f"payments/{NAME}")
    assert seen.hear() == []


@pytest.mark.parametrize(
    ("held", "left", "retain", "stays"),
    [
        (NAME, None, False, False),
        (NAME, "team.allow-dns-egress", False, False),
        ("team.allow-dns-egress", NAME, False, True),
        (NAME, "team.allow-dns-egress", True, True),
    ],
    ids=["alone", "a denial holds up an allowance", "an allowance holds up nothing", "what is retained is released"],
)
def test_a_policy_that_somebodys_finalizer_holds_does_not_hold_the_isolation(
    held: str,
    left: str | None,
    retain: bool,  # noqa: FBT001
    stays: bool,  # noqa: FBT001
) -> None:
    """To delete it is all that is ours to do; what cannot follow it goes with the isolation."""
    spec = {"namespaces": {"names": ["payments"]}, **({"deletionPolicy": "Retain"} if retain else {})}
    seen = Fixture(spec, **_ENDING)
    seen.cluster.remove("policies", f"payments/{NAME}")
    for name in (held, left):
        if name is not None:
            allow = {"policyTypes": ["Egress"], "egress": [{}], "podSelector": {"matchLabels": {"app": "web"}}}
            seen.put(policy(name, None if name == NAME else allow), **(_ENDING if name == held else {}))
    seen.hear()
    assert seen.held is stays


def test_a_history_that_went_back_is_looked_at_anew() -> None:
    """A restored isolation may have the generation of the lost one, and another spec."""
    looked: list[str] = []
    world = World(
        protected=PROTECTED,
        look_at=lambda namespace, _: looked.append(namespace),
        tend_to=lambda _: None,
        came=lambda _: None,
        went=lambda _: None,
        left=lambda _, __: None,
    )
    namespaces = FakeCluster()
    for name in ("payments", "monitoring"):
        namespaces.set_namespace(name, {})
    namespaces.deliver_all(world)
    world.isolations.changed(isolation_document("team", {"namespaces": {"names": ["payments"]}}, resourceVersion="100"))
    looked.clear()
    restored = isolation_document("team", {"namespaces": {"names": ["monitoring"]}}, resourceVersion="50")
    world.isolations.replaced(texts([restored]), 60, asked_at=world.isolations.seen_version)
    assert set(looked) == {"payments", "monitoring"}
    assert world.members("team") == {"monitoring"}


# sentence: the spec, the isolation's metadata, whether a policy of it is there, and whether its finalizer is due
_DUE: dict[str, tuple[Json, Json, bool, bool]] = {
    "a new isolation gets it": (_SPEC, {}, False, True),
    "one that retains gets it, too": (_RETAIN, {}, False, True),
    "one that is not accepted gets it, for what may be in place": (_BAD, {}, False, True),
    "one that has it keeps it": (_SPEC, {"finalizers": [FINALIZER]}, True, False),
    "one that has only ever been in Audit needs none": (_AUDIT, {}, False, False),
    "one in Audit that an earlier Enforce left something of gets it": (_AUDIT, {}, True, True),
    "one in Audit that has it keeps it": (_AUDIT, {"finalizers": [FINALIZER]}, False, False),
    "one that goes keeps it while something is left": (_SPEC, {**_ENDING, "finalizers": [FINALIZER]}, True, False),
    "one in Audit that goes keeps it while something is left": (
        _AUDIT,
        {**_ENDING, "finalizers": [FINALIZER]},
        True,
        False,
    ),
    "one that goes loses it when nothing is left": (_SPEC, {**_ENDING, "finalizers": [FINALIZER]}, False, True),
    "one in Audit that goes loses it when nothing is left": (
        _AUDIT,
        {**_ENDING, "finalizers": [FINALIZER]},
        False,
        True,
    ),
    "one that goes never gets it": (_SPEC, {**_ENDING, "finalizers": ["example.com/hold"]}, True, False),
}


@pytest.mark.parametrize(("spec", "metadata", "left", "due"), _DUE.values(), ids=_DUE.keys())
def test_the_finalizer(spec: Json, metadata: Json, *, left: bool, due: bool) -> None:
    """Each sentence of the table holds."""
    seen = Fixture(spec, **{"finalizers": [], **metadata})
    if not left:
        seen.cluster.remove("policies", f"payments/{NAME}")
    seen.hear()
    assert seen.world.finalizer_is_due(seen.world.isolations.by_name["team"]) is due


def test_a_view_does_not_change_with_later_news() -> None:
    """A reconcile that waits for the API server decides by what it has seen."""
    seen = Fixture()
    before = seen.world.view("payments")
    seen.cluster.set_isolation("team", _AUDIT)
    seen.cluster.remove("policies", f"payments/{NAME}")
    seen.hear()
    assert before.isolations["team"] == before.governing[0]
    assert before.isolations["team"].stance is Stance.WANTED
    assert NAME in before.live
    assert before.lost == frozenset()


def test_an_isolation_that_turns_to_audit_is_news_for_its_namespaces() -> None:
    """And so is one that turns back: what is to be done has changed."""
    looked: list[str] = []
    seen = Fixture()
    seen.world._look_at = lambda namespace, _: looked.append(namespace)
    for spec in (_AUDIT, _SPEC):
        seen.cluster.set_isolation("team", spec)
        seen.hear()
    assert looked == ["payments", "payments"]
    before = seen.world.view("payments").intent
    seen.cluster.set_isolation("team", _AUDIT)
    seen.hear()
    assert seen.world.view("payments").intent != before


def test_an_edit_and_an_arrival_are_told_and_nothing_else() -> None:
    """A status, a label of a namespace and what a list holds are neither; another resource of the name came."""
    told: list[str] = []
    world = World(
        protected=PROTECTED,
        look_at=lambda *_: None,
        tend_to=lambda _: None,
        came=lambda new: told.append(f"{new.uid} came"),
        went=lambda old: told.append(f"{old.uid} went"),
        left=lambda _, __: None,
        arrived=lambda name: told.append(f"{name} arrived"),
        edited=lambda old, new: told.append(f"{old.generation} became {new.generation}"),
    )
    for metadata in (
        {"uid": "one"},
        {"uid": "one", "resourceVersion": "2"},
        {"uid": "one", "resourceVersion": "3", "generation": 2},
        {"uid": "other", "resourceVersion": "4", "generation": 1},
    ):
        world.isolations.changed(isolation_document(**metadata))
    listed, comes = (namespace_document(name) for name in ("listed", "comes"))
    world.namespaces.replaced([world.namespaces.read(encoded(listed))], 1)
    for document in (namespace_document("listed", {"team": "a"}), comes, comes):
        world.namespaces.changed(world.namespaces.read(encoded(document)))
    assert told == ["one came", "1 became 2", "other came", "comes arrived"]


def test_what_was_lost_was_lost_in_another_namespace_of_the_name() -> None:
    """A deletion that was told before a restart is nobody's doing in a namespace that comes afterwards."""
    seen = Fixture()
    seen.world.complete()
    seen.world.policies.lose("later", NAME)
    seen.cluster.set_namespace("later", {})
    seen.hear()
    assert seen.world.policies.lost_in("later") == frozenset()


def test_a_view_holds_the_isolations_that_have_to_do_with_the_namespace_and_no_others() -> None:
    """Those that select it, that its policies claim or are named after, and that something was told of there."""
    seen = Fixture()
    seen.world._concerned = lambda namespace: ["told-of"] if namespace == "payments" else []
    for name in ("claimed", "named-after", "told-of", "elsewhere"):
        seen.cluster.set_isolation(name, {"namespaces": {"names": ["other"]}})
    seen.put(policy("claimed.default-deny-all"))
    seen.cluster.put("policies", "payments/named-after.web", foreign_document("named-after.web"))
    seen.hear()
    viewed = seen.world.view("payments")
    assert set(viewed.isolations) == {"team", "claimed", "named-after", "told-of"}
    assert [each.name for each in viewed.governing] == ["team"]


@pytest.mark.parametrize("kind", ["isolation", "namespace"])
def test_what_is_told_comes_after_what_is_to_be_done(kind: str) -> None:
    """Nothing that goes wrong with the telling may keep a namespace from being looked at."""
    looked_at: list[str] = []

    def tend_to(_: str) -> None:
        raise RuntimeError(kind)

    seen = Fixture()
    seen.world._look_at = lambda namespace, _: looked_at.append(namespace)
    seen.world._tend_to = tend_to
    seen.cluster.set_namespace("shop", {})
    if kind == "isolation":
        seen.cluster.set_isolation("team", {"namespaces": {"names": ["payments", "shop"]}})
    else:
        seen.cluster.set_namespace("payments", {"team": "x"})
    with pytest.raises(RuntimeError, match=kind):
        seen.hear()
    assert ("payments" if kind == "namespace" else "shop") in looked_at
    assert "payments" in seen.world.members("team")
