"""Finds out what exactly changes in the policies that a plan changes together, where their order depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from namespace_isolation.compare.succession import in_succession, needs_succession
from namespace_isolation.model.canonical import canonical_spec, dumps
from namespace_isolation.model.plan import Plan
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.observe.served_policy import known_spec

__all__ = ["Reader", "look_closer"]


class Reader(Protocol):
    """Reads policies."""

    async def read(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Give a policy as served; None where it is gone."""


async def look_closer(plan: Plan, reader: Reader) -> Plan:
    """Order the updates of our own older work among themselves; one alone needs no order and no reading."""
    if not needs_succession(plan):
        return plan
    changed = [step.live for step in plan.own_changes().values()]
    specs = await asyncio.gather(*(_spec_of(live, reader) for live in changed))
    return in_succession(plan, {live.name: spec for live, spec in zip(changed, specs, strict=True) if spec is not None})


async def _spec_of(live: LivePolicy, reader: Reader) -> str | None:
    """Give a spec as canonical text: one edit changes the same spec in every namespace, and few have to be read."""
    known = known_spec(live.digest)
    if known is not None:
        return known
    document = await reader.read(live.namespace, live.name)
    return None if document is None else dumps(canonical_spec(document.get("spec") or {}))
