"""Golden pairs: what each construct of the resource yields, exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.golden import difference, golden_files, regenerated

_ISOLATION = """\
# A team.
kind: NamespaceIsolation
metadata: {name: team}
spec:
  namespaces: {names: [payments]}
  dns: {enabled: false}
"""


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_the_policies_are_exactly_the_golden_ones(path: Path) -> None:
    """A difference shows as a diff; `python -m tests.support.golden` writes the files anew."""
    found = difference(path.read_text())
    assert not found, f"{path.name}\n{found}"


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_a_golden_file_says_what_it_teaches(path: Path) -> None:
    """The first line is a sentence for people."""
    first = path.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert first.endswith(".")


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_a_golden_file_is_one_that_would_be_written(path: Path) -> None:
    """What the file holds is laid out as regeneration lays it out, so that a later diff shows only what changed."""
    text = path.read_text()
    assert regenerated(text) == text


def test_a_file_without_a_golden_part_is_a_difference() -> None:
    """Nothing written is not the same as nothing wanted."""
    assert "no golden" in difference(_ISOLATION)


def test_a_golden_part_that_differs_shows_the_line() -> None:
    """One changed word is found and shown with its surroundings."""
    golden = regenerated(_ISOLATION)
    assert difference(golden) == ""
    found = difference(golden.replace("- Egress", "- Ingress"))
    assert "+  - Egress" in found.splitlines()


def test_a_policy_too_many_or_too_few_is_a_difference() -> None:
    """The policies of a file are all, and nothing else."""
    golden = regenerated(_ISOLATION)
    head, policy = golden.split("---\n")
    assert "-kind: NetworkPolicy" in difference(f"{golden}---\n{policy.replace('deny-all', 'deny-x')}")
    assert "+kind: NetworkPolicy" in difference(f"{head}---\n# no policy\n")


def test_regeneration_keeps_what_stands_above_the_policies() -> None:
    """Comments and layout of the isolation are the author's."""
    golden = regenerated(_ISOLATION)
    assert golden.startswith(_ISOLATION)
    assert regenerated(golden) == golden
    assert len(list(yaml.safe_load_all(golden))) == 2
