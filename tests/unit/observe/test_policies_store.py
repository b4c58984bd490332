"""The store of policies: what is there, whose doing a change was, and what must never get lost or come back."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from namespace_isolation.cluster.served import encoded
from namespace_isolation.model.policy import LivePolicy, Reach, _claims
from namespace_isolation.observe.policies import PolicyStore
from namespace_isolation.observe.served_policy import _once, _remembered, read_policy
from tests.support.objects import policy, stored

Json = dict[str, Any]

NAME = "team.default-deny-all"
WANTED = policy(NAME)


def _served(version: int = 10, *, uid: str = "u", name: str = NAME, **changes: Any) -> Json:  # noqa: ANN401 - any JSON
    """Give the policy as served; `changes` are laid over its metadata, `spec` over its spec."""
    document = copy.deepcopy(stored(policy(name).manifest("payments"), version=version, uid=uid))
    document["spec"] |= changes.pop("spec", {})
    document["metadata"] |= changes
    return document


class Fixture:
    """A store after an empty list at version 1, and the namespaces that it told of since."""

    def __init__(self, *documents: Json, version: int = 1) -> None:
        """List what is there."""
        self.told: list[str] = []
        self.losses: list[str] = []
        self.store = PolicyStore(self.told.append, on_loss=self.losses.append)
        self.store.replaced([self.store.read(encoded(each)) for each in documents], version)
        self.told.clear()
        self.losses.clear()

    def changed(self, document: Json) -> None:
        """Let the watch bring a change."""
        self.store.changed(self.store.read(encoded(document)))

    def removed(self, document: Json) -> None:
        """Let the watch bring a deletion."""
        self.store.removed(self.store.read(encoded(document)))

    def relist(self, version: int, *documents: Json) -> None:
        """Let the watch list again."""
        self.store.replaced([self.store.read(encoded(each)) for each in documents], version)

    @property
    def live(self) -> LivePolicy | None:
        """The policy, if it is there."""
        return self.store.live_in("payments").get(NAME)

    def the_live(self) -> LivePolicy:
        """Give the policy, which is there."""
        assert self.live is not None
        return self.live


_OPEN: Json = {"egress": [{}]}


# Reading


def test_a_policy_is_read_into_what_is_compared() -> None:
    """Spec, marks and owner; what we write matches what we want."""
    live = read_policy(_served())
    assert live.matches(WANTED)
    assert (live.namespace, live.name, live.uid, live.resource_version) == ("payments", NAME, "u", 10)
    assert (live.reach, live.ending, live.foreign) == (Reach.DENY, False, False)


@pytest.mark.parametrize(
    ("changes", "bare"),
    [
        ({}, True),
        ({"ownerReferences": None}, True),
        ({"labels": {"team": "x"}}, False),
        ({"labels": {"nsiso.dev/hash": "a label of that name is not ours"}}, False),
        ({"annotations": {"note": "mine"}}, False),
        ({"finalizers": ["example.com/hold"]}, False),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}, False),
    ],
    ids=str,
)
def test_it_is_known_whether_others_have_put_anything_on_a_policy(changes: Json, bare: bool) -> None:  # noqa: FBT001
    """What is bare is written anew without being read: nothing would be lost."""
    assert read_policy(_served(**changes)).bare is bare


def test_many_owners_are_remembered_by_nobody() -> None:
    """A tenant may write a megabyte of them, and another one tomorrow."""
    owners = [
        {"apiVersion": "nsiso.dev/v1", "kind": "NamespaceIsolation", "name": f"n{i}", "uid": "u"} for i in range(9)
    ]
    before = _once.cache_info().currsize, _claims.cache_info().currsize
    live = read_policy(_served(ownerReferences=owners))
    assert live.claims == (*(f"n{i}" for i in range(9)), "team")
    assert (_once.cache_info().currsize, _claims.cache_info().currsize) == before


@pytest.mark.parametrize("empty", [None, {}], ids=["null", "empty"])
def test_a_policy_without_any_marks_is_read_like_any_other(empty: Json | None) -> None:
    """Raw policies have no labels, no annotations, no owner, and perhaps no spec."""
    live = read_policy(_served(labels=empty, annotations=empty, ownerReferences=None) | {"spec": empty})
    assert not live.marked
    assert live.claims == ("team",)
    assert live.reach is Reach.DENY


def test_of_a_very_long_text_only_a_digest_is_kept() -> None:
    """Tenants may write 256 KiB into an annotation; such a value never is ours, and still differs from others."""
    kept = [
        _served(annotations={"nsiso.dev/description": text}) for text in ("x" * 1025, "x" * 1024 + "y", "x" * 200_000)
    ]
    found = [read_policy(document).description or "" for document in kept]
    assert len(set(found)) == 3
    assert max(len(each) for each in found) < 100
    assert read_policy(_served(annotations={"nsiso.dev/description": "x" * 1024})).description == "x" * 1024
    reference = {**_served()["metadata"]["ownerReferences"][0], "name": "n" * 200_000, "uid": "u" * 200_000}
    (owner,) = read_policy(_served(ownerReferences=[reference])).owners
    assert max(len(owner.name), len(owner.uid)) < 100


def test_digests_of_long_specs_are_not_remembered() -> None:
    """Thousands of specs of 1 MB would fill the memory; a short one is digested once for all namespaces."""
    peers = [{"ipBlock": {"cidr": f"10.{index // 256}.{index % 256}.0/24"}} for index in range(300)]
    long = _served(spec={"ingress": [{"from": peers}]})
    _remembered.cache_clear()
    assert read_policy(long).digest == read_policy(long).digest
    assert _remembered.cache_info().currsize == 0
    assert read_policy(_served()).digest == WANTED.digest
    assert _remembered.cache_info().currsize == 1


def test_values_of_marks_that_are_no_strings_are_no_marks() -> None:
    """Whatever an odd server sends, nothing fails."""
    live = read_policy(_served(labels={"nsiso.dev/isolation": 1}, annotations={"nsiso.dev/hash": None}))
    assert (live.isolation, live.hash) == (None, None)


@pytest.mark.parametrize(
    ("bent", "plain"),
    [
        ({}, True),
        ({"controller": None, "blockOwnerDeletion": None}, True),
        ({"controller": True}, False),
        ({"blockOwnerDeletion": True}, False),
        ({"apiVersion": "nsiso.dev/v1"}, False),
    ],
    ids=str,
)
def test_an_owner_reference_that_is_not_as_we_write_it_is_seen(bent: Json, plain: bool) -> None:  # noqa: FBT001
    """A controller flag or another version is a difference."""
    reference = {**_served()["metadata"]["ownerReferences"][0], **bent}
    (owner,) = read_policy(_served(ownerReferences=[reference])).owners
    assert owner.plain is plain


def test_references_to_other_kinds_are_not_ours() -> None:
    """They are kept by repairs and ignored here."""
    pod = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    assert read_policy(_served(ownerReferences=[pod])).owners == ()


# The watch


def test_a_new_policy_is_news_of_its_namespace() -> None:
    """Somebody made it."""
    seen = Fixture()
    seen.changed(_served())
    assert seen.told == ["payments"]
    assert seen.the_live().foreign


def test_the_first_list_holds_nothing_foreign() -> None:
    """Who made what before we started cannot be known."""
    seen = Fixture(_served())
    assert not seen.the_live().foreign


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": _OPEN},
        {"labels": {}},
        {"annotations": {}},
        {"ownerReferences": []},
        {"deletionTimestamp": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_a_change_of_content_is_news_and_foreign(changes: Json) -> None:
    """Spec, labels, annotations, owner, and the beginning of an end."""
    seen = Fixture(_served())
    seen.changed(_served(11, **changes))
    assert seen.told == ["payments"]
    assert seen.the_live().foreign


@pytest.mark.parametrize(
    "changes",
    [{}, {"finalizers": ["example.com/hold"]}, {"labels": {**WANTED.labels, "team": "x"}}, {"managedFields": []}],
    ids=str,
)
def test_a_change_of_what_is_not_ours_is_no_news(changes: Json) -> None:
    """The version is kept, and nobody is woken."""
    seen = Fixture(_served())
    seen.changed(_served(11, **changes))
    assert seen.told == []
    assert not seen.the_live().foreign
    assert seen.the_live().resource_version == 11


def test_a_foreign_policy_stays_foreign_until_we_write_it() -> None:
    """A later change of nothing does not make it ours; our repair does."""
    seen = Fixture(_served())
    seen.changed(_served(11, spec=_OPEN))
    seen.changed(_served(12, spec=_OPEN))
    assert seen.the_live().foreign
    seen.store.expect("payments", WANTED)
    seen.store.written(_served(13))
    assert not seen.the_live().foreign


def test_a_foreign_policy_that_was_found_as_it_should_be_is_foreign_no_more() -> None:
    """Somebody changed it and undid that before anyone looked: our own next change of it is no repair."""
    seen = Fixture(_served())
    seen.changed(_served(11, spec=_OPEN))
    seen.changed(_served(12))
    assert [live.name for live in seen.store.foreign_in("payments")] == [NAME]
    seen.store.accept(seen.store.foreign_in("payments"))
    assert seen.store.foreign_in("payments") == ()
    assert not seen.the_live().foreign
    assert seen.the_live().resource_version == 12


def test_what_changed_since_it_was_found_in_order_stays_foreign() -> None:
    """What comes during the reconcile is looked at by the next one; a change of nothing does not count."""
    seen = Fixture()
    seen.changed(_served(11))
    found = seen.store.foreign_in("payments")
    seen.changed(_served(12, spec=_OPEN))
    seen.store.accept(found)
    assert seen.the_live().foreign
    seen.changed(_served(13))
    seen.changed(_served(14, managedFields=[]))
    seen.store.accept(found)
    assert not seen.the_live().foreign
    seen.removed(_served(15))
    seen.store.accept(found)
    assert seen.live is None


@pytest.mark.parametrize("version", [9, 10], ids=["older", "the same"])
def test_older_news_are_dropped(version: int) -> None:
    """Responses and events may overtake each other."""
    seen = Fixture(_served(10))
    seen.changed(_served(version, spec=_OPEN))
    assert seen.told == []
    assert seen.the_live().matches(WANTED)


def test_a_policy_that_never_was_ours_is_not_foreign() -> None:
    """Making or changing a raw policy is no drift, even under a name that an isolation will want: it is taken over."""
    bare: Json = {"labels": {}, "annotations": {}, "ownerReferences": []}
    seen = Fixture()
    seen.changed(_served(11, **bare))
    seen.changed(_served(12, **bare, spec=_OPEN))
    assert seen.told == ["payments", "payments"]
    assert not seen.the_live().foreign


def test_a_policy_of_ours_that_lost_all_marks_stays_foreign() -> None:
    """Stripping everything and changing it again afterwards is drift all the same."""
    bare: Json = {"labels": {}, "annotations": {}, "ownerReferences": []}
    seen = Fixture(_served())
    seen.changed(_served(11, **bare))
    assert seen.the_live().foreign
    seen.changed(_served(12, **bare, spec=_OPEN))
    assert seen.the_live().foreign


def test_a_deletion_is_news_and_remembered_as_lost() -> None:
    """The next creation is then known to be a repair."""
    seen = Fixture(_served())
    seen.removed(_served(11))
    assert seen.live is None
    assert seen.told == ["payments"]
    assert seen.store.lost_in("payments") == {NAME}
    seen.store.found("payments", seen.store.losses_in("payments"))
    assert seen.store.lost_in("payments") == set()


def test_what_was_found_again_leaves_the_rest_lost() -> None:
    """Only what the reconcile knew of is dealt with."""
    other = _served(10, name="team.allow-dns-egress", uid="v")
    seen = Fixture(_served(), other)
    seen.removed(_served(11))
    known = seen.store.losses_in("payments")
    seen.removed(other)
    seen.store.found("payments", known)
    assert seen.store.lost_in("payments") == {"team.allow-dns-egress"}
    seen.store.found("elsewhere", known)


def test_what_was_lost_again_meanwhile_stays_lost() -> None:
    """Deleted anew while the namespace was being reconciled: the next creation is a repair as well."""
    seen = Fixture(_served())
    seen.removed(_served(11))
    known = seen.store.losses_in("payments")
    seen.changed(_served(12, uid="again"))
    seen.removed(_served(13, uid="again"))
    seen.store.found("payments", known)
    assert seen.store.lost_in("payments") == {NAME}
    seen.store.found("payments", seen.store.losses_in("payments"))
    assert seen.store.lost_in("payments") == set()


def test_a_policy_that_was_not_ours_is_not_lost() -> None:
    """Nobody misses it; the namespace is looked at all the same."""
    raw = _served(name="legacy", labels={}, annotations={}, ownerReferences=[])
    seen = Fixture(raw)
    seen.removed(raw)
    assert seen.store.lost_in("payments") == set()
    assert seen.told == ["payments"]


def test_the_deletion_of_a_predecessor_is_no_news() -> None:
    """Deleted and made anew: the late deletion of the old one does not touch the new one."""
    seen = Fixture(_served(uid="old"))
    seen.changed(_served(12, uid="new"))
    seen.told.clear()
    seen.removed(_served(11, uid="old"))
    assert seen.the_live().uid == "new"
    assert seen.told == []
    assert seen.store.lost_in("payments") == set()


def test_the_deletion_of_what_is_not_known_is_no_news() -> None:
    """Nothing to forget."""
    seen = Fixture()
    seen.removed(_served())
    assert seen.told == []


# Our own writes


@pytest.mark.parametrize("echo_first", [True, False], ids=["echo first", "response first"])
@pytest.mark.parametrize("before", [None, _OPEN], ids=["created", "repaired"])
def test_our_own_write_is_no_news_in_either_order(echo_first: bool, before: Json | None) -> None:  # noqa: FBT001
    """The response and the event of one write cost no second look and are nobody's drift."""
    seen = Fixture(*([] if before is None else [_served(10, spec=before)]))
    seen.store.expect("payments", WANTED)
    if echo_first:
        seen.changed(_served(11))
        seen.store.written(_served(11))
        seen.store.settled("payments", NAME)
    else:
        seen.store.written(_served(11))
        seen.store.settled("payments", NAME)
        seen.changed(_served(11))
    assert seen.told == []
    assert seen.the_live().matches(WANTED)
    assert not seen.the_live().foreign


@pytest.mark.parametrize("echo_first", [True, False], ids=["echo first", "response first"])
def test_our_own_deletion_is_no_news_in_either_order(echo_first: bool) -> None:  # noqa: FBT001
    """Nothing is lost, and nobody is woken."""
    seen = Fixture(_served())
    seen.store.expect_gone("payments", NAME, "u")
    if echo_first:
        seen.removed(_served(11))
    seen.store.gone("payments", NAME, "u")
    seen.store.settled("payments", NAME)
    seen.removed(_served(11))
    assert seen.live is None
    assert seen.told == []
    assert seen.store.lost_in("payments") == set()


def test_late_news_of_what_we_deleted_do_not_bring_it_back() -> None:
    """The watch may bring its beginning and its changes after our deletion was answered."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.store.written(_served(11))
    seen.store.settled("payments", NAME)
    seen.store.expect_gone("payments", NAME, "u")
    seen.store.gone("payments", NAME, "u")
    seen.store.settled("payments", NAME)
    for late in (_served(11), _served(12, spec=_OPEN)):
        seen.changed(late)
        assert seen.live is None
    seen.removed(_served(13))
    assert seen.told == []
    assert seen.store.lost_in("payments") == set()
    seen.changed(_served(14, uid="made-anew"))
    assert seen.the_live().uid == "made-anew"


def test_a_list_from_before_our_deletion_does_not_bring_it_back() -> None:
    """It was on its way; the watch that follows it still brings the deletion."""
    seen = Fixture(_served())
    seen.store.gone("payments", NAME, "u")
    seen.relist(20, _served())
    seen.changed(_served(21, managedFields=[]))
    assert seen.live is None
    seen.removed(_served(22))
    assert seen.told == []
    assert seen.store.lost_in("payments") == set()


def test_what_we_deleted_is_remembered_only_until_the_watch_is_past_it() -> None:
    """Its deletion came, or two lists did; and nothing is remembered of a history that went back."""
    other = _served(10, name="team.allow-dns-egress", uid="v")
    for ends in ("deletion", "lists", "rewound"):
        seen = Fixture(_served(), other)
        seen.store.gone("payments", NAME, "u")
        match ends:
            case "deletion":
                seen.removed(_served(11))
            case "lists":
                seen.relist(20, other)
                assert seen.store._deleted
                seen.relist(30, other)
            case _:
                seen.changed({**other, "metadata": {**other["metadata"], "resourceVersion": "50"}})
                seen.relist(20, _served())
                assert seen.live is not None
        assert seen.store._deleted == {}


def test_somebody_elses_change_during_our_write_is_news_when_it_ends() -> None:
    """Only the content that we are about to write is taken for ours."""
    seen = Fixture(_served(10))
    seen.store.expect("payments", WANTED)
    seen.changed(_served(11, spec=_OPEN))
    assert seen.told == []
    seen.store.settled("payments", NAME)
    assert seen.told == ["payments"]
    assert seen.the_live().foreign


def test_our_own_write_as_a_webhook_changed_it_wakes_nobody() -> None:
    """The answer of the same version says whose it is; the writer sees that it is not what was written."""
    seen = Fixture(_served(10))
    seen.store.expect("payments", WANTED)
    seen.changed(_served(11, spec=_OPEN))
    assert not seen.store.written(_served(11, spec=_OPEN)).matches(WANTED)
    seen.store.settled("payments", NAME)
    assert seen.told == []
    assert not seen.the_live().foreign


def test_somebody_elses_change_right_after_our_write_is_news_when_the_answer_is_older() -> None:
    """An answer that the watch has overtaken does not settle what came after it."""
    seen = Fixture(_served(10))
    seen.store.expect("payments", WANTED)
    seen.changed(_served(12, spec=_OPEN))
    seen.store.written(_served(11))
    seen.store.settled("payments", NAME)
    assert seen.told == ["payments"]
    assert seen.the_live().foreign


def test_somebody_elses_change_after_our_write_is_news() -> None:
    """Also where it comes before the response of our write."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.changed(_served(12, spec=_OPEN))
    seen.store.written(_served(11))
    seen.store.settled("payments", NAME)
    assert not seen.the_live().matches(WANTED)
    assert seen.told == ["payments"]


def test_a_change_back_after_our_write_ended_is_not_taken_for_our_echo() -> None:
    """What was expected is forgotten with the write."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.store.written(_served(11))
    seen.store.settled("payments", NAME)
    seen.changed(_served(12, spec=_OPEN))
    seen.changed(_served(13))
    assert seen.told == ["payments", "payments"]


def test_a_policy_that_was_deleted_before_our_response_came_does_not_come_back() -> None:
    """Else it would count as in place until the next list, and nothing would be there."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.changed(_served(11))
    seen.removed(_served(12))
    seen.store.written(_served(11))
    seen.store.settled("payments", NAME)
    assert seen.live is None
    assert set(seen.told) == {"payments"}
    assert seen.store.lost_in("payments") == {NAME}


def test_a_policy_that_was_deleted_before_a_list_and_our_response_is_missed() -> None:
    """The list never held it, so it tells nobody: the namespace is looked at because of the response."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.relist(12)
    seen.store.written(_served(11))
    assert seen.told == []
    seen.store.settled("payments", NAME)
    assert seen.live is None
    assert seen.told == ["payments"]


def test_a_successor_is_not_replaced_by_our_late_response() -> None:
    """Deleted and made anew by somebody before we heard of our own write: the newer one counts."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.changed(_served(11, uid="ours"))
    seen.removed(_served(12, uid="ours"))
    seen.changed(_served(13, uid="theirs", spec=_OPEN))
    seen.store.written(_served(11, uid="ours"))
    assert seen.the_live().uid == "theirs"


def test_our_write_replaces_a_predecessor_whose_deletion_comes_late() -> None:
    """The late deletion of the old one then is no news."""
    seen = Fixture(_served(10, uid="old"))
    seen.store.expect("payments", WANTED)
    seen.store.written(_served(13, uid="ours"))
    seen.store.settled("payments", NAME)
    seen.removed(_served(12, uid="old"))
    assert seen.the_live().uid == "ours"
    assert seen.told == []


def test_a_write_without_an_expectation_is_ours_once_its_response_is_here() -> None:
    """The echo came first and woke somebody; the response settles whose it was."""
    seen = Fixture(_served(10))
    seen.changed(_served(11, ownerReferences=[]))
    seen.store.written(_served(11, ownerReferences=[]))
    assert not seen.the_live().foreign


# Lists


def test_a_relist_finds_deletions() -> None:
    """What is gone without an event is lost like anything else."""
    seen = Fixture(_served())
    seen.relist(20)
    assert seen.live is None
    assert seen.told == ["payments"]
    assert seen.store.lost_in("payments") == {NAME}


def test_a_relist_finds_changes() -> None:
    """What was changed in the gap is somebody's doing."""
    seen = Fixture(_served())
    seen.relist(20, _served(15, spec=_OPEN))
    assert seen.told == ["payments"]
    assert seen.the_live().foreign


def test_a_relist_without_a_difference_is_no_news() -> None:
    """A gap in the watch of a quiet cluster wakes nobody."""
    seen = Fixture(_served())
    seen.relist(20, _served(10))
    assert seen.told == []


def test_a_relist_does_not_drop_what_is_newer_than_the_list() -> None:
    """What we wrote while the list was on its way is not in it, and is there."""
    seen = Fixture()
    seen.store.expect("payments", WANTED)
    seen.store.written(_served(25))
    seen.store.settled("payments", NAME)
    seen.relist(20)
    assert seen.the_live().matches(WANTED)
    assert seen.told == []


def test_a_relist_finds_what_we_deleted_ourselves() -> None:
    """Our own deletion under way is not lost because a list tells of it first."""
    seen = Fixture(_served())
    seen.store.expect_gone("payments", NAME, "u")
    seen.relist(20)
    assert seen.live is None
    assert seen.store.lost_in("payments") == set()


def test_a_history_that_went_back_counts_as_it_is_now() -> None:
    """After a restore only the list is true: older versions replace newer ones, and what is not listed is gone."""
    other = _served(50, name="team.allow-dns-egress", uid="v")
    seen = Fixture(_served(50), other, version=60)
    seen.relist(20, _served(5, spec=_OPEN))
    assert not seen.the_live().matches(WANTED)
    assert set(seen.store.live_in("payments")) == {NAME}
    assert seen.store.lost_in("payments") == {"team.allow-dns-egress"}
    seen.changed(_served(21))
    assert seen.the_live().resource_version == 21


def test_a_history_that_went_back_makes_nothing_foreign_that_is_as_it_was() -> None:
    """A restore is no drift of every policy."""
    seen = Fixture(_served(50), version=60)
    seen.relist(20, _served(5))
    assert seen.told == []
    assert not seen.the_live().foreign
    assert seen.the_live().resource_version == 5


# Claims


def test_the_namespaces_of_an_isolation_are_kept_up() -> None:
    """By any claim, through changes and deletions."""
    seen = Fixture(_served())
    assert set(seen.store.claimed_by("team")) == {"payments"}
    seen.changed(_served(11, labels={"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "other"}))
    assert set(seen.store.claimed_by("other")) == {"payments"}
    assert set(seen.store.claimed_by("team")) == {"payments"}
    seen.removed(_served(12))
    assert set(seen.store.claimed_by("team")) == set()
    assert set(seen.store.claimed_by("other")) == set()
    assert seen.store.live_in("payments") == {}


@pytest.mark.parametrize(
    ("changes", "losses"),
    [
        ({"ownerReferences": []}, ["team"]),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, ["team"]),
        ({"managedFields": []}, []),
    ],
    ids=["disowned", "ending", "nothing"],
)
def test_whose_policy_somebody_changed_is_told(changes: Json, losses: list[str]) -> None:
    """An isolation that waits for its policies to go must hear of each that no longer holds it."""
    seen = Fixture(_served())
    seen.changed(_served(11, **changes))
    assert seen.losses == losses


def test_whose_policy_somebody_deleted_is_told() -> None:
    """By the watch or by a list, but not what we did ourselves."""
    seen = Fixture(_served())
    seen.removed(_served(11))
    assert seen.losses == ["team"]
    seen = Fixture(_served())
    seen.relist(20)
    assert seen.losses == ["team"]
    seen = Fixture(_served())
    seen.store.expect_gone("payments", NAME, "u")
    seen.removed(_served(11))
    seen.store.gone("payments", NAME, "u")
    assert seen.losses == []
