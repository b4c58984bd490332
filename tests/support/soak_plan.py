"""What the soak test does: a list of actions with their times, all of it chosen by the seed and by nothing else."""

from __future__ import annotations

import copy
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.desire.render import render
from namespace_isolation.model.names import API_VERSION, KIND
from namespace_isolation.model.resource import parse_spec
from namespace_isolation.model.selection import selects
from namespace_isolation.observe.isolations import read_isolation
from tests.support import soak_specs as specs

__all__ = ["Action", "Plan", "make_plan"]

Json = dict[str, Any]

_NAMESPACES: Final = 20
_GAP: Final = 0.2
"""Mean seconds between two actions."""
_RESTART_EVERY: Final = 25.0
_LONGEST_ABSENCE: Final = 2.5
_CALM: Final = 120.0
_REPEATS: Final = 2
"""How often a policy may be meddled with within that time: five repairs in quick succession would be a fight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that is done `at` so many seconds after the start; `facts` say to what and how."""

    number: int
    at: float
    verb: str
    facts: Json

    def __str__(self) -> str:
        """Tell the action in one line."""
        told = " ".join(f"{key}={value}" for key, value in self.facts.items() if key not in {"spec", "patch", "body"})
        return f"#{self.number} {self.at:6.2f}s {self.verb} {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How it starts, and what happens."""

    seed: int
    namespaces: dict[str, dict[str, str]]
    isolations: dict[str, Json]
    actions: list[Action]


@dataclass(slots=True)
class _Model:
    """What would be there if everything had its effect at once."""

    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    isolations: dict[str, Json] = field(default_factory=dict)
    gone_namespaces: list[str] = field(default_factory=list)
    gone_isolations: list[str] = field(default_factory=list)
    foreign: list[tuple[str, str]] = field(default_factory=list)
    edits: deque[tuple[float, str, str]] = field(default_factory=deque)


def make_plan(seed: int, seconds: float) -> Plan:
    """Choose everything: the same seed gives the same actions, and a longer time only more of them."""
    chance = random.Random(seed)  # noqa: S311 - chosen for being repeatable
    model = _Model()
    for index in range(_NAMESPACES):
        model.namespaces[f"{specs.PREFIX}{index:02}"] = _labels(chance)
    for name in specs.ISOLATIONS:
        model.isolations[name] = specs.first_spec(name, chance)
    start = copy.deepcopy((model.namespaces, model.isolations))
    restarts = random.Random(f"{seed} restarts")  # noqa: S311
    timed = [*_deeds(chance, model, seconds), *_restarts(restarts, seconds)]
    ordered = sorted(timed, key=lambda each: each[0])
    actions = [
        Action(number=number, at=at, verb=verb, facts=facts) for number, (at, verb, facts) in enumerate(ordered, 1)
    ]
    return Plan(seed=seed, namespaces=start[0], isolations=start[1], actions=actions)


def _restarts(chance: random.Random, seconds: float) -> list[tuple[float, str, Json]]:
    found: list[tuple[float, str, Json]] = []
    at = chance.uniform(5, _RESTART_EVERY)
    while at < seconds:
        found.append((at, chance.choice(("kill", "kill", "terminate")), {}))
        found.append((at + chance.uniform(0, _LONGEST_ABSENCE), "start", {}))
        at += _RESTART_EVERY * chance.uniform(0.8, 1.2)
    return found


def _deeds(chance: random.Random, model: _Model, seconds: float) -> list[tuple[float, str, Json]]:
    kinds = {
        _edit_policy: 40,
        _delete_policy: 18,
        _extra_policy: 8,
        _foreign_policy: 8,
        _remove_foreign: 3,
        _label_namespace: 6,
        _toggle_namespace: 3,
        _edit_isolation: 10,
        _toggle_isolation: 2,
    }
    found: list[tuple[float, str, Json]] = []
    at = 0.0
    while (at := at + chance.expovariate(1 / _GAP)) < seconds:
        (kind,) = chance.choices(list(kinds), list(kinds.values()))
        deed = kind(chance, model, at)
        if deed is not None:
            found.append((at, *deed))
    return found


Deed = tuple[str, Json] | None


def _edit_policy(chance: random.Random, model: _Model, at: float) -> Deed:
    target = _some_policy(chance, model, at)
    if target is None:
        return None
    how = chance.choice(list(specs.EDITS))
    return "edit", {"namespace": target[0], "policy": target[1], "how": how}


def _delete_policy(chance: random.Random, model: _Model, at: float) -> Deed:
    target = _some_policy(chance, model, at)
    return None if target is None else ("delete", {"namespace": target[0], "policy": target[1]})


def _some_policy(chance: random.Random, model: _Model, at: float) -> tuple[str, str] | None:
    """Choose a policy that should be there, and that was left alone for a while."""
    while model.edits and model.edits[0][0] < at - _CALM:
        model.edits.popleft()
    namespace = chance.choice(sorted(model.namespaces))
    names = [name for isolation in sorted(model.isolations) for name in _policies(model, isolation, namespace)]
    if not names:
        return None
    policy = chance.choice(names)
    often = Counter((where, name) for _, where, name in model.edits)
    if often[namespace, policy] >= _REPEATS:
        return None
    model.edits.append((at, namespace, policy))
    return namespace, policy


def _policies(model: _Model, isolation: str, namespace: str) -> list[str]:
    spec = model.isolations[isolation]
    labels = {**model.namespaces[namespace], "kubernetes.io/metadata.name": namespace}
    if not selects(parse_spec(spec).namespaces, name=namespace, labels=labels, protected=frozenset()):
        return []
    metadata = {"name": isolation, "uid": "", "generation": 1, "resourceVersion": "1"}
    rendering = render(read_isolation({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}))
    return [policy.name for policy in (*rendering.policies, *([rendering.dns] if rendering.dns else []))]


def _extra_policy(chance: random.Random, model: _Model, at: float) -> Deed:
    if not model.isolations:
        return None
    facts = {
        "namespace": chance.choice(sorted(model.namespaces)),
        "isolation": chance.choice(sorted(model.isolations)),
        "how": chance.choice(specs.EXTRAS),
        "policy": f"{round(at * 1000):06}",
    }
    return "extra", facts


def _foreign_policy(chance: random.Random, model: _Model, at: float) -> Deed:
    namespace = chance.choice(sorted(model.namespaces))
    name = f"foreign-{round(at * 1000):06}"
    model.foreign.append((namespace, name))
    return "foreign", {"namespace": namespace, "policy": name, "how": chance.choice(list(specs.FOREIGN))}


def _remove_foreign(chance: random.Random, model: _Model, at: float) -> Deed:
    if not model.foreign:
        return None
    namespace, name = model.foreign.pop(chance.randrange(len(model.foreign)))
    return "delete", {"namespace": namespace, "policy": name}


def _label_namespace(chance: random.Random, model: _Model, at: float) -> Deed:
    namespace = chance.choice(sorted(model.namespaces))
    model.namespaces[namespace] = _labels(chance)
    return "label", {"namespace": namespace, "labels": dict(model.namespaces[namespace])}


def _toggle_namespace(chance: random.Random, model: _Model, at: float) -> Deed:
    """Bring back one that was deleted, or delete one while enough are left."""
    if model.gone_namespaces and chance.random() < 0.6:
        namespace = model.gone_namespaces.pop(0)
        model.namespaces[namespace] = _labels(chance)
        return "create namespace", {"namespace": namespace, "labels": dict(model.namespaces[namespace])}
    if len(model.namespaces) <= _NAMESPACES - 4:
        return None
    namespace = chance.choice(sorted(model.namespaces))
    del model.namespaces[namespace]
    model.foreign = [each for each in model.foreign if each[0] != namespace]
    model.gone_namespaces.append(namespace)
    return "delete namespace", {"namespace": namespace}


def _edit_isolation(chance: random.Random, model: _Model, at: float) -> Deed:
    if not model.isolations:
        return None
    name = chance.choice(sorted(model.isolations))
    what = chance.choice(list(specs.CHANGES))
    spec = specs.CHANGES[what](chance, name, copy.deepcopy(model.isolations[name]))
    model.isolations[name] = spec
    return "put isolation", {"isolation": name, "what": what, "spec": copy.deepcopy(spec)}


def _toggle_isolation(chance: random.Random, model: _Model, at: float) -> Deed:
    """Make one anew that was deleted, or delete one while enough are left."""
    if model.gone_isolations and chance.random() < 0.6:
        name = model.gone_isolations.pop(0)
        model.isolations[name] = specs.first_spec(name, chance)
        return "create isolation", {"isolation": name, "spec": copy.deepcopy(model.isolations[name])}
    if len(model.isolations) <= len(specs.ISOLATIONS) - 2:
        return None
    name = chance.choice(sorted(model.isolations))
    del model.isolations[name]
    model.gone_isolations.append(name)
    return "delete isolation", {"isolation": name}


def _labels(chance: random.Random) -> dict[str, str]:
    drawn = {"team": chance.choice(("red", "blue", "")), "zone": chance.choice(("x", "y", ""))}
    return {key: value for key, value in drawn.items() if value}
