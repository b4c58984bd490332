"""The forms in which changes are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from namespace_isolation.model.plan import Why
from namespace_isolation.preview.change import Action, Change
from namespace_isolation.preview.report import report_for

_POLICY = {"kind": "NetworkPolicy", "metadata": {"name": "team.x"}, "spec": {"podSelector": {}}}
_CHANGES = (
    Change(namespace="a", policy="team.x", isolation="team", action=Action.CREATE, why=Why.WANTED, wanted=_POLICY),
    Change(
        namespace="a",
        policy="team.y",
        isolation="team",
        action=Action.UPDATE,
        why=Why.MODIFIED,
        fields=("spec.egress",),
        live={**_POLICY, "spec": {"podSelector": {}, "egress": [{}]}},
        wanted=_POLICY,
    ),
    Change(namespace="long-name", policy="z", isolation="team", action=Action.DELETE, why=Why.EXTRA, live=_POLICY),
)


def _told(output: str, *changes: Change, colour: bool = False) -> str:
    written: list[str] = []
    report = report_for(output, written.append, colour=colour)
    for change in changes:
        report.take(change)
    report.end()
    assert report.tally.empty == (not changes)
    return "".join(written)


def test_a_unified_diff() -> None:
    """Live against wanted, field by field; a side that is not there is empty."""
    assert _told("diff", *_CHANGES) == (
        "--- live/a/team.x\n+++ wanted/a/team.x\n@@ -0,0 +1,5 @@\n"
        "+kind: NetworkPolicy\n+metadata:\n+  name: team.x\n+spec:\n+  podSelector: {}\n"
        "--- live/a/team.y\n+++ wanted/a/team.y\n@@ -2,6 +2,4 @@\n"
        " metadata:\n   name: team.x\n spec:\n-  egress:\n-  - {}\n   podSelector: {}\n"
        "--- live/long-name/z\n+++ wanted/long-name/z\n@@ -1,5 +0,0 @@\n"
        "-kind: NetworkPolicy\n-metadata:\n-  name: team.x\n-spec:\n-  podSelector: {}\n"
    )


def test_colours_end_with_each_line() -> None:
    """Headers bold, hunks cyan, what goes red, what comes green; the rest as it is."""
    lines = _told("diff", _CHANGES[1], colour=True).split("\n")
    assert lines == [
        "\x1b[1m--- live/a/team.y\x1b[0m",
        "\x1b[1m+++ wanted/a/team.y\x1b[0m",
        "\x1b[36m@@ -2,6 +2,4 @@\x1b[0m",
        " metadata:",
        "   name: team.x",
        " spec:",
        "\x1b[31m-  egress:\x1b[0m",
        "\x1b[31m-  - {}\x1b[0m",
        "   podSelector: {}",
        "",
    ]


def test_hostile_text_of_a_live_object_reaches_no_terminal() -> None:
    """Controls, turned lines and other line breaks come as escapes, each field on one line."""
    hostile = "\x1b[2J\r\n+++ wanted/fake\u2028\u202e\x85\x9b"
    live = {**_POLICY, "metadata": {"name": "team.x", "annotations": {"a": hostile}}}
    written = _told("diff", replace(_CHANGES[2], live=live))
    assert all(line.isprintable() for line in written.split("\n"))
    assert len(written.split("\n")) == len(_told("diff", _CHANGES[2]).split("\n")) + 2
    as_json = _told("json", replace(_CHANGES[1], fields=(f"metadata.labels[{hostile}]",)))
    assert all(line.isprintable() for line in as_json.split("\n"))


def test_records_for_programs() -> None:
    """One for each change, with the reason; none is an empty list."""
    assert json.loads(_told("json", *_CHANGES[1:])) == [
        {
            "namespace": "a",
            "policy": "team.y",
            "isolation": "team",
            "action": "Update",
            "why": "Modified",
            "fields": ["spec.egress"],
        },
        {
            "namespace": "long-name",
            "policy": "z",
            "isolation": "team",
            "action": "Delete",
            "why": "Extra",
            "fields": [],
        },
    ]
    assert json.loads(_told("json")) == []


def test_names_to_be_piped() -> None:
    """A line for each, none for none."""
    assert _told("name", _CHANGES[0]) == "networkpolicy.networking.k8s.io/team.x -n a\n"
    assert _told("name") == ""


def test_counts_by_namespace_and_in_all() -> None:
    """A table and a total; the total alone where there is nothing."""
    assert _told("summary", *_CHANGES) == (
        "NAMESPACE   CREATE   UPDATE   DELETE\n"
        "a                1        1        0\n"
        "long-name        0        0        1\n"
        "2 namespaces: 1 to create, 1 to update, 1 to delete\n"
    )
    assert _told("summary") == "0 namespaces: 0 to create, 0 to update, 0 to delete\n"


@pytest.mark.parametrize("output", ["diff", "json", "name", "summary"])
def test_every_form_counts_the_same(output: str) -> None:
    """The total does not depend on how it is told."""
    report = report_for(output, lambda _: None, colour=False)
    for change in _CHANGES:
        report.take(change)
    assert report.tally.total == "2 namespaces: 1 to create, 1 to update, 1 to delete"
