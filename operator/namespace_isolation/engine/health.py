"""What /healthz and /readyz answer: alive while every collection is heard of, ready while every cache is complete."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from namespace_isolation.engine.engine import Engine

__all__ = ["Check", "alive", "ready", "told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be so; `problem` says what is wrong, `detail` what is worth knowing when nothing is."""

    name: str
    problem: str = ""
    detail: str = ""


def alive(engine: Engine, *, limit: float) -> tuple[Check, ...]:
    """Check what only a restart may mend: `limit` is how many seconds a collection may be silent.

    That the event loop answers needs no check: without it there is no answer.
    """
    failed = "" if engine.error is None else f"the operator had to give up: {type(engine.error).__name__}"
    return (
        Check(name="engine", problem=failed),
        *(_in_contact(each.collection, each.silence(), limit) for each in engine.contacts),
    )


def ready(engine: Engine) -> tuple[Check, ...]:
    """Check that decisions are taken: every cache was complete once, and the operator is not on its way out."""
    incomplete = "not listed yet; the log says why if this lasts"
    leaving = "the operator was asked to stop and takes no new work" if engine.draining else ""
    return (
        *(Check(name=f"cache {each.collection}", problem="" if each.lists else incomplete) for each in engine.contacts),
        Check(name="not draining", problem=leaving),
    )


def told(probe: str, checks: Iterable[Check], *, verbose: bool) -> tuple[bool, str]:
    """Tell whether all checks passed, and how a probe says so: `ok`, or a line a check as in Kubernetes itself."""
    checks = tuple(checks)
    passed = not any(check.problem for check in checks)
    if passed and not verbose:
        return True, "ok\n"
    lines = [f"[-]{check.name} failed: {check.problem}" if check.problem else _good(check) for check in checks]
    return passed, "\n".join((*lines, f"{probe} check {'passed' if passed else 'failed'}", ""))


def _in_contact(collection: str, silence: float, limit: float) -> Check:
    name = f"contact {collection}"
    if silence > limit:
        problem = f"nothing heard for {silence:.0f} s, more than {limit:.0f} s; the log says why"
        return Check(name=name, problem=problem)
    return Check(name=name, detail=f"heard of {silence:.0f} s ago")


def _good(check: Check) -> str:
    return f"[+]{check.name} ok" + (f": {check.detail}" if check.detail else "")
