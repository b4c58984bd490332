"""A policy that somebody changes back as often as we repair it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fight"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fight:
    """`rounds` repairs in quick succession, the next at the earliest after `pause` seconds; who changes it back.

    `wanted`: whether the policy is to be there; else it is one that comes back. `by_admission`: nobody edits it, but
    what is written is changed on its way.
    """

    namespace: str
    policy: str
    isolation: str
    rounds: int
    pause: float
    manager: str
    wanted: bool = True
    by_admission: bool = False
