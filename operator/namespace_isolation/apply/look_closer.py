"""Reads the policies that a plan changes together, where their order depends on what exactly changes in each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from namespace_isolation.compare.succession import in_succession, needs_succession
from namespace_isolation.model.plan import Plan, Step, Update

__all__ = ["Reader", "look_closer"]


class Reader(Protocol):
    """Reads policies."""

    async def read(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Give a policy as served; None where it is gone."""


async def look_closer(plan: Plan, reader: Reader) -> Plan:
    """Order the updates of our own older work among themselves; one alone needs no order and no reading."""
    if not needs_succession(plan):
        return plan
    names = list(plan.own_changes())
    read = await asyncio.gather(*(reader.read(plan.namespace, name) for name in names))
    documents = {name: dict(each) for name, each in zip(names, read, strict=True) if each is not None}
    phases = tuple(tuple(_with(step, documents) for step in phase) for phase in plan.phases)
    return in_succession(replace(plan, phases=phases), documents)


def _with(step: Step, documents: Mapping[str, Mapping[str, Any]]) -> Step:
    if isinstance(step, Update) and step.name in documents:
        return replace(step, document=documents[step.name])
    return step
