"""Whether an isolation selects a namespace: names and globs, selectors, exclusion, and what is protected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate
from functools import lru_cache

from namespace_isolation.model.resource import LabelSelector, LabelSelectorRequirement, NamespaceFilter, Namespaces

__all__ = ["is_glob", "selects", "selects_labels"]


def selects(namespaces: Namespaces, *, name: str, labels: Mapping[str, str], protected: frozenset[str]) -> bool:
    """Whether the namespace matches all that is given and nothing that is excluded.

    A protected namespace matches only by its exact name, so that no glob or label isolates the cluster's own.
    """
    if name in protected:
        named = name in (namespaces.names or ())
    else:
        named = namespaces.names is None or _names_match(namespaces.names, name)
    if not named:
        return False
    if namespaces.selector is not None and not selects_labels(namespaces.selector, labels):
        return False
    return namespaces.exclude is None or not _any_of(namespaces.exclude, name, labels)


def selects_labels(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects labels; an empty one selects everything."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _holds(expression, labels) for expression in selector.match_expressions
    )


def is_glob(name: str) -> bool:
    """Whether a name stands for many."""
    return "*" in name or "?" in name


def _any_of(excluded: NamespaceFilter, name: str, labels: Mapping[str, str]) -> bool:
    by_name = excluded.names is not None and _names_match(excluded.names, name)
    return by_name or (excluded.selector is not None and selects_labels(excluded.selector, labels))


def _holds(expression: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression.key)
    match expression.operator:
        case "In":
            return value in expression.values
        case "NotIn":
            return value not in expression.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None


def _names_match(patterns: Iterable[str], name: str) -> bool:
    return any(_glob(pattern)(name) if is_glob(pattern) else pattern == name for pattern in patterns)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Callable[[str], object]:
    """Compile a glob: `*` any characters, `?` exactly one; nothing else is special."""
    # fnmatch never steps back over a *, so that `*a*a*a*a*b` costs no exponential time; names hold no bracket.
    return re.compile(translate(pattern)).match
