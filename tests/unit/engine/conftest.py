"""The engine's tests run on the event loop that `nsiso run` has: its timers differ from asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Make uvloop's loops."""
    return {"uvloop": uvloop.new_event_loop}
