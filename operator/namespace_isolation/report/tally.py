"""The standings of one isolation added up: what its status, its conditions and the metrics count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.report.standing import Standing

__all__ = ["Tally", "tally_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Numbers of namespaces (matched, looked_at, in_sync, drifted, failed) and of policies; `fight`: the first one."""

    matched: int
    looked_at: int
    in_sync: int
    drifted: int
    failed: int
    desired: int
    in_place: int
    outstanding: int
    audits: bool
    create: int
    update: int
    delete: int
    unmanaged: int
    fight: Fight | None


def tally_of(isolation: Isolation, members: frozenset[str], standings: Mapping[str, Standing]) -> Tally:
    """Add up the standings; what is not of the present generation counts only where it fails or drifts."""
    everywhere = standings.values()
    current = [each for name, each in standings.items() if name in members and each.generation == isolation.generation]
    pending = [each.pending for each in everywhere if each.pending is not None]
    fights = [fight for each in everywhere for fight in each.fights]
    return Tally(
        matched=len(members),
        looked_at=len(current),
        in_sync=sum(each.in_sync for each in current),
        drifted=sum(each.outstanding > 0 for each in everywhere),
        failed=sum(each.failing for each in everywhere),
        desired=sum(each.desired for each in current),
        in_place=sum(each.in_place for each in current),
        outstanding=sum(each.outstanding for each in everywhere),
        audits=isolation.stance is Stance.AUDIT,
        create=sum(each.create for each in pending),
        update=sum(each.update for each in pending),
        delete=sum(each.delete for each in pending),
        unmanaged=sum(each.unmanaged_count for each in everywhere),
        fight=min(fights, key=lambda fight: (fight.namespace, fight.policy), default=None),
    )
