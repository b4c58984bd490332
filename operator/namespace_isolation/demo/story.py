"""The story of the demo on one screen; every act sees what it tells, or the demo fails."""

from __future__ import annotations

from namespace_isolation.demo.farewell import leave_running, stop_operator, take_away
from namespace_isolation.demo.install import install_identity, install_resource, start_operator
from namespace_isolation.demo.isolate import greet_newcomer, isolate
from namespace_isolation.demo.repair import disturb
from namespace_isolation.demo.shop import open_shop
from namespace_isolation.demo.stage import Stage

__all__ = ["tell"]


async def tell(stage: Stage, *, keep: bool) -> None:
    """Tell the story from an empty cluster to its end; Unseen where something does not happen."""
    await install_resource(stage)
    await install_identity(stage)
    await open_shop(stage)
    await start_operator(stage)
    await isolate(stage)
    await greet_newcomer(stage)
    await disturb(stage)
    await take_away(stage)
    await (leave_running(stage) if keep else stop_operator(stage))
