"""Namespaces that no cluster tells of."""

from __future__ import annotations

import pytest

from namespace_isolation.preview.namespaces import named_by, namespace_from_flag
from tests.support.objects import isolation

_NAME = "kubernetes.io/metadata.name"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("shop", {_NAME: "shop"}),
        ("shop,team=a", {"team": "a", _NAME: "shop"}),
        ("shop,team=a,example.org/tier=", {"team": "a", "example.org/tier": "", _NAME: "shop"}),
        ("shop,a=b=c", {"a": "b=c", _NAME: "shop"}),
        (f"shop,{_NAME}=other", {_NAME: "shop"}),
    ],
)
def test_a_namespace_on_the_command_line(text: str, labels: dict[str, str]) -> None:
    """Name and labels, and the label that the API server sets whatever is written."""
    found = namespace_from_flag(text)
    assert (found.name, found.labels, found.ending) == ("shop", labels, False)


@pytest.mark.parametrize("text", ["", "Shop", "shop,", "shop,team", "shop,=a", "shop,te am=a", "shop team=a"])
def test_what_is_no_namespace_is_refused(text: str) -> None:
    """A typing mistake renders nothing."""
    with pytest.raises(ValueError, match="is no "):
        namespace_from_flag(text)


def test_isolations_name_namespaces_exactly_or_not() -> None:
    """A glob names nobody."""
    one = isolation("one", namespaces={"names": ["b", "a-*", "a"]})
    other = isolation("other", namespaces={"selector": {"matchLabels": {"team": "x"}}})
    assert list(named_by([one, other])) == ["a", "b"]
